package dev.doorbell.linux.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.OpenFiles;
import dev.doorbell.linux.SystemCalls;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// On the running machine's own KVM, where it has one for x86.
@DisplayName("KVM: level-triggered interrupts through the kernel's IOAPIC, and their resample")
class LevelTest {
  private static final int INPUT = 5;
  private static final int MESSAGE_GSI = 24;
  private static final int VECTOR = 0x30;
  private static final int MESSAGE_VECTOR = 0x31;
  private static final int ROUNDS = 20;
  private static final long WAIT_SECONDS = 20;

  private final Map<String, Integer> before = OpenFiles.held();
  private final BlockingQueue<VcpuExit> exits = new ArrayBlockingQueue<>(1024);

  private static KvmVm open() {
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "skipped: IOAPICs are of x86 alone");
    try {
      KvmVm vm = KvmVm.create(SystemCalls.ofProcess());
      vm.createPcInterrupts(AddressRange.ofSize(0xfffb_d000L, 0x3000));
      return vm;
    } catch (ErrnoException e) {
      return abort("skipped: " + e.getMessage());
    }
  }

  private boolean note(VcpuExit exit) {
    exits.add(exit);
    return exit instanceof VcpuExit.Io;
  }

  private void comes(int value) throws InterruptedException {
    VcpuExit e = exits.poll(WAIT_SECONDS, TimeUnit.SECONDS);
    assertFalse(e == null, "the guest does not come back with " + value);
    assertEquals(new VcpuExit.Io(X86Guest.PORT, 1, true, 1, value), e);
  }

  @ParameterizedTest(name = "messages beside it: {0}")
  @ValueSource(booleans = {false, true})
  @DisplayName("each signal is one interrupt, and each end of one is told by the second eventfd")
  void resamples(boolean messages) throws InterruptedException {
    try (KvmVm vm = open();
        EventFd asserted = EventFd.create("asserted");
        EventFd handled = EventFd.create("handled");
        EventFd message = EventFd.create("message")) {
      KvmVcpu vcpu = vm.createVcpu(0);
      try (X86Guest guest = new X86Guest(vm, vcpu, VECTOR, 2)) {
        guest.takeLevel(vcpu, INPUT, VECTOR);
        if (messages) {
          vm.route(Map.of(MESSAGE_GSI, GuestMsi.of(0xfee0_0000L, MESSAGE_VECTOR)));
          vm.connect(message, MESSAGE_GSI);
        }
        try (KvmVm.Connection _ = vm.connectLevel(asserted, INPUT, handled);
            VcpuThread _ = VcpuThread.start(vcpu, "vcpu", this::note)) {
          comes(0);
          for (int round = 0; round < ROUNDS; round++) {
            asserted.signal();
            comes(VECTOR);
            assertEquals(1, handled.await((int) TimeUnit.SECONDS.toMillis(WAIT_SECONDS)));
            if (messages) {
              message.signal();
              comes(MESSAGE_VECTOR);
            }
          }
        }
        assertEquals(messages ? 2 * ROUNDS : ROUNDS, guest.taken());
        assertEquals(0, handled.take(), "no end is told twice");
      }
    }
    assertEquals(before, OpenFiles.held());
  }

  @ParameterizedTest(name = "a message replaces it: {0}")
  @ValueSource(booleans = {false, true})
  @DisplayName("a line that is set by hand leads to the IOAPIC, also after the first route")
  void lines(boolean replaced) throws InterruptedException {
    try (KvmVm vm = open()) {
      KvmVcpu vcpu = vm.createVcpu(0);
      try (X86Guest guest = new X86Guest(vm, vcpu, VECTOR, 2)) {
        guest.takeLevel(vcpu, INPUT, VECTOR);
        vm.route(Map.of(replaced ? INPUT : MESSAGE_GSI, GuestMsi.of(0xfee0_0000L, MESSAGE_VECTOR)));
        try (VcpuThread _ = VcpuThread.start(vcpu, "vcpu", this::note)) {
          comes(0);
          vm.setLine(INPUT, true);
          comes(replaced ? MESSAGE_VECTOR : VECTOR);
          vm.setLine(INPUT, false);
        }
      }
    }
    assertEquals(before, OpenFiles.held());
  }
}
