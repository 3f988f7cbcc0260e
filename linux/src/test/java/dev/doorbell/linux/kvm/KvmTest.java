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
import dev.doorbell.linux.FailingCalls;
import dev.doorbell.linux.MemFd;
import dev.doorbell.linux.OpenFiles;
import dev.doorbell.linux.SystemCalls;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// On the running machine's own KVM, where it has one for x86: the guest's processor never runs, its local APIC shows what arrived.
@DisplayName("KVM: messages, routes and eventfds into a guest's local APIC")
class KvmTest {
  private static final int GSI = 24;
  private static final long FEE = 0xfee0_0000L;

  private static KvmVm open() {
    assumeTrue(
        System.getProperty("os.arch").equals("amd64"), "skipped: local APICs are of x86 alone");
    try {
      KvmVm vm = KvmVm.create(SystemCalls.ofProcess());
      vm.createPcInterrupts(AddressRange.ofSize(0xfffb_d000L, 0x3000));
      return vm;
    } catch (ErrnoException e) {
      return abort("skipped: " + e.getMessage());
    }
  }

  private static X86Cpu vcpu(KvmVm vm) {
    X86Cpu v = new X86Cpu(vm.createVcpu(0));
    v.enableLocalApic();
    return v;
  }

  private static BitSet only(int... vectors) {
    BitSet b = new BitSet();
    for (int v : vectors) {
      b.set(v);
    }
    return b;
  }

  @Test
  @DisplayName(
      "a signalled eventfd raises the vector that its route names; a new route moves it at once")
  void eventfdsReachTheGuest() {
    Map<String, Integer> before = OpenFiles.held();
    try (KvmVm vm = open();
        EventFd event = EventFd.create("vector")) {
      X86Cpu cpu = vcpu(vm);
      vm.route(Map.of(GSI, GuestMsi.of(FEE, 0x41)));
      try (KvmVm.Connection _ = vm.connect(event, GSI)) {
        event.signal();
        assertEquals(only(0x41), cpu.requested());
        assertEquals(0, event.take(), "the kernel took it");
        cpu.clearRequests();
        vm.route(Map.of(GSI, GuestMsi.of(FEE, 0x52), GSI + 1, GuestMsi.of(FEE, 0x63)));
        event.signal();
        assertEquals(only(0x52), cpu.requested());
        ErrnoException busy = assertThrows(ErrnoException.class, () -> vm.connect(event, GSI + 1));
        assertEquals(Errno.EBUSY, busy.errno());
        cpu.clearRequests();
      }
      event.signal();
      assertEquals(only(), cpu.requested(), "nothing after the connection has ended");
      assertEquals(1, event.take());
    }
    assertEquals(before, OpenFiles.held());
  }

  @Test
  @DisplayName("a message to a processor that the machine has not is taken by nobody, and told so")
  void nobodyThere() {
    try (KvmVm vm = open()) {
      X86Cpu cpu = vcpu(vm);
      assertFalse(vm.signal(GuestMsi.of(FEE | 5 << 12, 0x77)));
      assertEquals(only(), cpu.requested());
      assertTrue(vm.signal(GuestMsi.of(FEE, 0x77)));
    }
  }

  @Test
  @DisplayName("KVM_SIGNAL_MSI raises a vector without a route")
  void signals() {
    try (KvmVm vm = open()) {
      X86Cpu cpu = vcpu(vm);
      assertTrue(vm.signal(GuestMsi.of(FEE, 0x77)));
      assertEquals(only(0x77), cpu.requested());
    }
  }

  @Test
  @DisplayName(
      "2,048 routes go in with one call; more than the kernel has are refused and leave the table as it was")
  void routesAreCommittedTogether() {
    FailingCalls counting = new FailingCalls(SystemCalls.ofProcess());
    try (KvmVm probe = open();
        KvmVm vm = KvmVm.create(counting.calls());
        EventFd event = EventFd.create("vector")) {
      assertFalse(probe == vm);
      vm.createPcInterrupts(AddressRange.ofSize(0xfffb_d000L, 0x3000));
      X86Cpu cpu = vcpu(vm);
      Map<Integer, GuestMsi> many = new HashMap<>();
      for (int i = 0; i < 2048; i++) {
        many.put(GSI + i, GuestMsi.of(FEE, 0x40 + i % 0x80));
      }
      counting.fail(-1, Errno.EIO);
      vm.route(many);
      assertEquals(2, counting.made().size(), "one question and one table: " + counting.made());
      Map<Integer, GuestMsi> tooMany = new HashMap<>();
      for (int i = 0; i < 5000; i++) {
        tooMany.put(GSI + i, GuestMsi.of(FEE, 0x99));
      }
      ErrnoException e = assertThrows(ErrnoException.class, () -> vm.route(tooMany));
      assertTrue(e.refusal().advice().contains("4096"), e.refusal().advice());
      try (KvmVm.Connection _ = vm.connect(event, GSI + 2)) {
        event.signal();
        assertEquals(only(0x42), cpu.requested());
      }
    }
  }

  @Test
  @DisplayName("memory slots: one that meets another is refused")
  void memory() {
    try (KvmVm vm = open();
        MemFd ram = MemFd.create("guest", 0x10_0000)) {
      vm.addMemory(0, AddressRange.ofSize(0, 0x10_0000), ram.memory());
      ErrnoException e =
          assertThrows(
              ErrnoException.class,
              () -> vm.addMemory(1, AddressRange.ofSize(0x8_0000, 0x10_0000), ram.memory()));
      assertEquals(Errno.EEXIST, e.errno());
    }
  }

  @Test
  @DisplayName("a machine that has no KVM says so, and what to do")
  void without() {
    SystemCalls real = SystemCalls.ofProcess();
    FailingCalls failing = new FailingCalls(real);
    failing.fail(0, Errno.ENOENT);
    ErrnoException e = assertThrows(ErrnoException.class, () -> KvmVm.create(failing.calls()));
    assertTrue(e.refusal().advice().contains("kvm_intel"), e.refusal().advice());
  }
}
