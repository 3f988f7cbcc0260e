package dev.doorbell.linux.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.Errno;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.FailingCalls;
import dev.doorbell.linux.FakeKernel;
import dev.doorbell.linux.Held;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.linux.SystemCalls;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.Forwarding;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A function of a kernel in memory, and a guest of the running machine's own KVM, where it has one for x86: the eventfd between the two is a
/// real one.
@DisplayName(
    "a vector led to a guest: its signal raises the guest's vector, without anybody of this process")
class ForwardingTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");
  private static final int GSI = 24;
  private static final long FEE = 0xfee0_0000L;
  private static final int VECTORS = 4;

  private final Map<String, Integer> before = Held.now();

  private static KvmVm vm(SystemCalls calls) {
    assumeTrue(
        System.getProperty("os.arch").equals("amd64"), "skipped: local APICs are of x86 alone");
    try {
      KvmVm vm = KvmVm.create(calls);
      vm.createPcInterrupts(AddressRange.ofSize(0xfffb_d000L, 0x3000));
      return vm;
    } catch (ErrnoException e) {
      return abort("skipped: " + e.getMessage());
    }
  }

  private static LinuxVfio open(Path root, Access access) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    return LinuxVfio.open(new LinuxOptions(k.calls(), k.root(), access, false, f -> List.of()));
  }

  private static void raise(Device d, int vector) {
    d.region(RegionType.BAR0).write(DemoLayout.RING.offset(), vector, Integer.BYTES);
  }

  private static BitSet only(int vector) {
    BitSet b = new BitSet();
    b.set(vector);
    return b;
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("four vectors by one table of routes; taken back, they are the process's again")
  void toTheGuestAndBack(Access access, @TempDir Path root) {
    FailingCalls counting = new FailingCalls(SystemCalls.ofProcess());
    try (KvmVm vm = vm(counting.calls());
        LinuxVfio vfio = open(root, access);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      X86Cpu cpu = new X86Cpu(vm.createVcpu(0));
      cpu.enableLocalApic();
      c.attach(vfio.group(F));
      List<EventCounter> own =
          List.of(new EventCounter(), new EventCounter(), new EventCounter(), new EventCounter());
      try (Device d = vfio.group(F).open(F)) {
        d.config().write(4, 6, 2);
        d.enable(IrqType.MSIX, VECTORS, own);
        Map<String, Integer> enabled = Held.now();
        Map<Integer, GuestMsi> routes = new HashMap<>();
        for (int v = 0; v < VECTORS; v++) {
          routes.put(GSI + v, GuestMsi.of(FEE, 0x40 + v));
        }
        counting.fail(-1, Errno.EIO);
        vm.route(routes);
        assertEquals(2, counting.made().size(), "one question and one table: " + counting.made());
        try (Forwarding _ = d.vector(0).forwardTo(vm, GSI);
            Forwarding _ = d.vector(1).forwardTo(vm, GSI + 1);
            Forwarding _ = d.vector(2).forwardTo(vm, GSI + 2);
            Forwarding _ = d.vector(3).forwardTo(vm, GSI + 3)) {
          for (int v = 0; v < VECTORS; v++) {
            raise(d, v);
            assertEquals(0, vfio.deliver(), "nobody of this process is called");
            assertEquals(only(0x40 + v), cpu.requested());
            cpu.clearRequests();
          }
        }
        assertEquals(enabled, Held.now(), "as many files as before it was led away");
        raise(d, 2);
        vfio.deliver();
        assertEquals(1, own.get(2).take());
        assertEquals(new BitSet(), cpu.requested());
      }
    }
    assertEquals(before, Held.now());
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("a machine that refuses the connection leaves the vector and the files as they were")
  void refusalLeavesNothing(Access access, @TempDir Path root) {
    FailingCalls failing = new FailingCalls(SystemCalls.ofProcess());
    try (KvmVm vm = vm(failing.calls());
        LinuxVfio vfio = open(root, access);
        Container c = vfio.open(ContainerOptions.USUAL);
        EventFd own = EventFd.create("own")) {
      c.attach(vfio.group(F));
      try (Device d = vfio.group(F).open(F)) {
        d.config().write(4, 6, 2);
        d.enable(IrqType.MSIX, 1, List.of(own));
        Map<String, Integer> enabled = Held.now();
        for (int call = 0; call < 2; call++) {
          failing.fail(call, Errno.EMFILE);
          assertThrows(ErrnoException.class, () -> d.vector(0).forwardTo(vm, GSI));
          assertEquals(enabled, Held.now());
        }
        raise(d, 0);
        assertEquals(1, own.take());
      }
    }
    assertEquals(before, Held.now());
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("a machine that is closed first leaves a vector that can be taken back")
  void machineGoneFirst(Access access, @TempDir Path root) {
    try (LinuxVfio vfio = open(root, access);
        Container c = vfio.open(ContainerOptions.USUAL);
        EventFd own = EventFd.create("own")) {
      c.attach(vfio.group(F));
      try (Device d = vfio.group(F).open(F)) {
        d.config().write(4, 6, 2);
        d.enable(IrqType.MSIX, 1, List.of(own));
        KvmVm vm = vm(SystemCalls.ofProcess());
        Forwarding led = d.vector(0).forwardTo(vm, GSI);
        vm.close();
        raise(d, 0);
        led.close();
        assertEquals(1, own.take(), "what came after the guest's end");
        raise(d, 0);
        assertEquals(1, own.take());
      }
    }
    assertEquals(before, Held.now());
  }
}
