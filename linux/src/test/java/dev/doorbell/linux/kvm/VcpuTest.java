package dev.doorbell.linux.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.linux.Errno;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.MemFd;
import dev.doorbell.linux.OpenFiles;
import dev.doorbell.linux.SystemCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// On the running machine's own KVM, where it has one for x86.
@DisplayName("KVM: a processor that runs takes every interrupt, and is stopped")
class VcpuTest {
  private static final int GSI = 24;
  private static final int FIRST_VECTOR = 0x30;
  private static final int VECTORS = 64;
  private static final int ROUNDS = 50;
  private static final long FEE = 0xfee0_0000L;
  private static final long WAIT_SECONDS = 20;
  private static final AddressRange TASK_STATE = AddressRange.ofSize(0xfffb_d000L, 0x3000);

  private final Map<String, Integer> before = OpenFiles.held();
  private final BlockingQueue<VcpuExit> exits = new ArrayBlockingQueue<>(1024);

  private static KvmVm open(boolean split) {
    assumeTrue(
        System.getProperty("os.arch").equals("amd64"), "skipped: this guest is for x86 alone");
    try {
      KvmVm vm = KvmVm.create(SystemCalls.ofProcess());
      if (split) {
        vm.createLocalApics(TASK_STATE, GSI);
      } else {
        vm.createPcInterrupts(TASK_STATE);
      }
      return vm;
    } catch (ErrnoException e) {
      return abort("skipped: " + e.getMessage());
    }
  }

  private boolean note(VcpuExit exit) {
    exits.add(exit);
    return exit instanceof VcpuExit.Io;
  }

  private VcpuExit next() throws InterruptedException {
    VcpuExit e = exits.poll(WAIT_SECONDS, TimeUnit.SECONDS);
    assertFalse(e == null, "the guest does not come back");
    return e;
  }

  @ParameterizedTest(name = "split: {0}")
  @ValueSource(booleans = {false, true})
  @DisplayName("each of 64 vectors, led by a route and an eventfd, reaches its handler, every time")
  void takesEveryVector(boolean split) throws InterruptedException {
    try (KvmVm vm = open(split);
        EventFds events = new EventFds(VECTORS)) {
      KvmVcpu vcpu = vm.createVcpu(0);
      try (X86Guest guest = new X86Guest(vm, vcpu, FIRST_VECTOR, VECTORS)) {
        Map<Integer, GuestMsi> routes = new HashMap<>();
        for (int i = 0; i < VECTORS; i++) {
          routes.put(GSI + i, GuestMsi.of(FEE, FIRST_VECTOR + i));
        }
        vm.route(routes);
        for (int i = 0; i < VECTORS; i++) {
          vm.connect(events.at(i), GSI + i);
        }
        try (VcpuThread _ = VcpuThread.start(vcpu, "vcpu", this::note)) {
          for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < VECTORS; i++) {
              events.at(i).signal();
              assertEquals(new VcpuExit.Io(X86Guest.PORT, 1, true, 1, FIRST_VECTOR + i), next());
            }
          }
        }
        assertEquals(ROUNDS * VECTORS, guest.taken());
        assertTrue(exits.isEmpty(), "nothing besides: " + exits);
      }
    }
    assertEquals(before, OpenFiles.held());
  }

  @Test
  @DisplayName("a processor that halts inside the kernel is stopped, and runs again afterwards")
  void stopsWhileItHalts() throws InterruptedException {
    try (KvmVm vm = open(false);
        EventFd event = EventFd.create("vector")) {
      KvmVcpu vcpu = vm.createVcpu(0);
      try (X86Guest guest = new X86Guest(vm, vcpu, FIRST_VECTOR, 1)) {
        vm.route(Map.of(GSI, GuestMsi.of(FEE, FIRST_VECTOR)));
        vm.connect(event, GSI);
        try (VcpuThread t = VcpuThread.start(vcpu, "vcpu", this::note)) {
          event.signal();
          next();
          // It waits in HLT now, or soon.
          vcpu.stop();
          assertTrue(t.await(TimeUnit.SECONDS.toMillis(WAIT_SECONDS)));
        }
        assertEquals(1, guest.taken());
        vcpu.resume();
        try (VcpuThread _ = VcpuThread.start(vcpu, "vcpu again", this::note)) {
          event.signal();
          next();
        }
        assertEquals(2, guest.taken());
      }
    }
  }

  @Test
  @DisplayName("what a handler throws is told to whoever waits")
  void failuresAreTold() throws InterruptedException {
    try (KvmVm vm = open(false)) {
      KvmVcpu vcpu = vm.createVcpu(0);
      try (X86Guest _ = new X86Guest(vm, vcpu, FIRST_VECTOR, 1)) {
        assertTrue(vm.signal(GuestMsi.of(FEE, FIRST_VECTOR)));
        try (VcpuThread t =
            VcpuThread.start(
                vcpu,
                "vcpu",
                e -> {
                  throw new IllegalArgumentException("not this one");
                })) {
          IllegalStateException e =
              assertThrows(
                  IllegalStateException.class,
                  () -> t.await(TimeUnit.SECONDS.toMillis(WAIT_SECONDS)));
          assertEquals("vcpu ended by not this one", e.getMessage());
        }
      }
    }
  }

  @Test
  @DisplayName("memory that is no slot: a read is answered, a write is told")
  void memoryAccesses() throws InterruptedException {
    try (KvmVm vm = open(false)) {
      KvmVcpu vcpu = vm.createVcpu(0);
      try (X86Guest guest = new X86Guest(vm, vcpu, FIRST_VECTOR, 1)) {
        // mov eax, [0xd0000004]; mov [0xd0000008], eax; mov bl, [0xd0000001]; hlt
        guest.program(0xa1, 4, 0, 0, 0xd0, 0xa3, 8, 0, 0, 0xd0, 0x8a, 0x1d, 1, 0, 0, 0xd0, 0xf4);
        try (VcpuThread _ =
            VcpuThread.start(
                vcpu,
                "vcpu",
                e -> {
                  if (e instanceof VcpuExit.Mmio m && !m.write()) {
                    vcpu.answer(0x1234_5678);
                  }
                  exits.add(e);
                  return e instanceof VcpuExit.Mmio;
                })) {
          assertEquals(new VcpuExit.Mmio(0xd000_0004L, 4, false, 0), next());
          assertEquals(new VcpuExit.Mmio(0xd000_0008L, 4, true, 0x1234_5678), next());
          assertEquals(new VcpuExit.Mmio(0xd000_0001L, 1, false, 0), next());
        }
      }
    }
  }

  @Test
  @DisplayName("memory that was taken back is no memory any more")
  void removedMemory() throws InterruptedException {
    try (KvmVm vm = open(false);
        MemFd more = MemFd.create("more", 0x1000)) {
      KvmVcpu vcpu = vm.createVcpu(0);
      try (X86Guest guest = new X86Guest(vm, vcpu, FIRST_VECTOR, 1)) {
        vm.addMemory(1, AddressRange.ofSize(0xd000_0000L, 0x1000), more.memory());
        // mov eax, [0xd0000004]; out 0x10, al; mov eax, [0xd0000004]
        guest.program(0xa1, 4, 0, 0, 0xd0, 0xe6, 0x10, 0xa1, 4, 0, 0, 0xd0, 0xf4);
        try (VcpuThread _ =
            VcpuThread.start(
                vcpu,
                "vcpu",
                e -> {
                  if (e instanceof VcpuExit.Io) {
                    vm.removeMemory(1);
                  }
                  return note(e);
                })) {
          assertEquals(new VcpuExit.Io(X86Guest.PORT, 1, true, 1, 0), next());
          assertEquals(new VcpuExit.Mmio(0xd000_0004L, 4, false, 0), next());
        }
      }
    }
  }

  @Test
  @DisplayName("KVM_IOEVENTFD: writes to a register signal an eventfd and do not leave the kernel")
  void watchedWrites() throws InterruptedException {
    try (KvmVm vm = open(false);
        EventFd rung = EventFd.create("rung")) {
      KvmVcpu vcpu = vm.createVcpu(0);
      try (X86Guest guest = new X86Guest(vm, vcpu, FIRST_VECTOR, 1)) {
        AddressRange register = AddressRange.ofSize(0xd000_0004L, 4);
        vm.watchWrites(register, rung);
        assertEquals(
            Errno.EEXIST,
            assertThrows(ErrnoException.class, () -> vm.watchWrites(register, rung)).errno());
        // mov [0xd0000004], eax, twice; out 0x10, al; mov [0xd0000008], eax; hlt
        guest.program(
            0xa3, 4, 0, 0, 0xd0, 0xa3, 4, 0, 0, 0xd0, 0xe6, 0x10, 0xa3, 8, 0, 0, 0xd0, 0xf4);
        try (VcpuThread _ = VcpuThread.start(vcpu, "vcpu", this::note)) {
          assertEquals(new VcpuExit.Io(X86Guest.PORT, 1, true, 1, 0), next());
          assertEquals(2, rung.take());
          assertEquals(new VcpuExit.Mmio(0xd000_0008L, 4, true, 0), next(), "nobody watches it");
        }
        assertEquals(0, rung.take());
      }
    }
    assertEquals(before, OpenFiles.held());
  }

  @Test
  @DisplayName("a processor that is closed is stopped without effect")
  void stopAfterClose() {
    KvmVcpu vcpu;
    try (KvmVm vm = open(false)) {
      vcpu = vm.createVcpu(0);
      vcpu.stop();
    }
    vcpu.stop();
    vcpu.close();
    assertEquals(before, OpenFiles.held());
  }

  @Test
  @DisplayName("stopped more than once: no signal is left for the thread that ran it")
  void takesEveryKick() {
    try (KvmVm vm = open(false)) {
      KvmVcpu vcpu = vm.createVcpu(0);
      int left =
          CompletableFuture.supplyAsync(
                  () -> {
                    vcpu.claimThread();
                    vcpu.stop();
                    vcpu.stop();
                    vcpu.stop();
                    vcpu.leaveThread();
                    return pending();
                  })
              .join();
      assertEquals(-Errno.EAGAIN.number(), left);
    }
  }

  /// {@return signal 40, taken, where it waits for this thread; else EAGAIN}
  private static int pending() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = arena.allocate(128, Long.BYTES);
      set.set(ValueLayout.JAVA_LONG, 0, 1L << 39);
      return SystemCalls.ofProcess().takeSignal(set);
    }
  }
}
