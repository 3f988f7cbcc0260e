package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("EINTR: a call that a signal of the system interrupts is made again")
class InterruptedCallsTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");

  /// The others do not wait, and the kernel never answers them so.
  private static final List<String> INTERRUPTIBLE =
      List.of("open", "ioctl", "read", "write", "epollWait");

  private final Map<String, Integer> before = Held.now();

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("whichever call of a session it is, nobody notices")
  void madeAgain(Access access, @TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions o = new LinuxOptions(failing.calls(), root, access, false, f -> List.of());
    int interrupted = 0;
    for (int i = 0; i < 200; i++) {
      failing.fail(i, Errno.EINTR);
      boolean refused = false;
      try {
        session(o);
      } catch (ErrnoException e) {
        refused = true;
      }
      assertEquals(before, Held.now());
      if (failing.made().size() <= i) {
        assertTrue(interrupted > 20, "calls that were interrupted: " + interrupted);
        return;
      }
      if (INTERRUPTIBLE.contains(failing.made().get(i))) {
        assertFalse(refused, "call %d: %s".formatted(i, failing.made()));
        interrupted++;
      }
    }
    throw new AssertionError("a session never ended");
  }

  private static void session(LinuxOptions options) {
    EventCounter signals = new EventCounter();
    try (LinuxVfio vfio = LinuxVfio.open(options);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer b = c.allocate(0x2000);
          Device d = vfio.group(F).open(F)) {
        c.map(new Iova(0x10_0000), b, Protection.READ_WRITE);
        try {
          d.config().write(4, 6, 2);
          assertEquals(1, d.enable(IrqType.MSIX, 1, List.of(signals)));
          d.region(RegionType.BAR0).write(DemoLayout.RING.offset(), 0, Integer.BYTES);
          assertEquals(1, vfio.deliver());
          assertEquals(1, signals.take());
        } finally {
          c.unmap(c.iovaRanges().getFirst());
        }
      }
    }
  }

  @Test
  @DisplayName("poll(2): the wait for one eventfd goes on")
  void waitForOne() {
    FailingCalls failing = new FailingCalls(SystemCalls.ofProcess());
    try (EventFd e = EventFd.create(failing.calls(), "test")) {
      failing.fail(1, Errno.EINTR);
      assertEquals(0, e.await(1));
      assertEquals(List.of("read", "poll", "poll", "read"), failing.made());
    }
    assertEquals(before, Held.now());
  }

  @Test
  @DisplayName("write(2): a signal is added once")
  void signal() {
    FailingCalls failing = new FailingCalls(SystemCalls.ofProcess());
    try (EventFd e = EventFd.create(failing.calls(), "test")) {
      failing.fail(0, Errno.EINTR);
      e.signal();
      assertEquals(List.of("write", "write"), failing.made());
      assertEquals(1, e.take());
    }
    assertEquals(before, Held.now());
  }

  @Test
  @DisplayName("close(2): the descriptor is gone all the same, and it is no error")
  void close() {
    Kernel kernel = new Kernel(FailingCalls.closing(SystemCalls.ofProcess(), Errno.EINTR));
    kernel.open("/proc/self/maps", KernelConstants.O_RDONLY, Because::general).close();
    assertEquals(before, Held.now());
  }
}
