package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.irq.TooFewVectors;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Linux: vectors one by one, and what is signalled while one changes hands")
class LinuxVectorsTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");

  private final Map<String, Integer> before = Held.now();
  private FakeKernel kernel;
  private FailingCalls failing;
  private LinuxVfio vfio;
  private Container container;
  private Device device;

  @BeforeEach
  void open(@TempDir Path root) {
    kernel = new FakeKernel(root);
    kernel.add(F, EndpointSpec.demo(8), "vfio-pci", true);
    failing = new FailingCalls(kernel.calls());
    vfio =
        LinuxVfio.open(
            new LinuxOptions(failing.calls(), root, Access.CONTAINER, false, f -> List.of()));
    container = vfio.open(ContainerOptions.USUAL);
    container.attach(vfio.group(F));
    device = vfio.group(F).open(F);
    device.config().write(4, 6, 2);
  }

  @AfterEach
  void givesAllBack() {
    device.close();
    container.close();
    vfio.close();
    assertEquals(before, Held.now());
  }

  private static List<EventCounter> counters(int n) {
    return IntStream.range(0, n).mapToObj(i -> new EventCounter()).toList();
  }

  private void raise(int vector) {
    device.region(RegionType.BAR0).write(DemoLayout.RING.offset(), vector, Integer.BYTES);
  }

  @Test
  @DisplayName("as many as the kernel has, when just so many are asked for at least")
  void justEnough() {
    kernel.limitVectors(F, 3);
    assertEquals(3, device.enable(IrqType.MSIX, 3, counters(8)));
  }

  @Test
  @DisplayName(
      "triggers beyond the function's vectors are not used; more vectors than it has: TooFewVectors")
  void beyondTheFunction() {
    TooFewVectors e =
        assertThrows(TooFewVectors.class, () -> device.enable(IrqType.MSIX, 9, counters(9)));
    assertEquals(9, e.refusal().needed().orElseThrow().value());
    assertEquals(8, e.refusal().available().orElseThrow().value());
    assertEquals(8, device.enable(IrqType.MSIX, 1, counters(20)));
  }

  @Test
  @DisplayName("one that is taken back leaves the others as they are, its number free for another")
  void takenBack() {
    List<EventCounter> all = counters(3);
    device.enable(IrqType.MSIX, 3, all);
    device.remove(1);
    IntStream.range(0, 3).forEach(this::raise);
    vfio.deliver();
    assertEquals(List.of(1L, 0L, 1L), all.stream().map(EventCounter::take).toList());
    EventCounter again = new EventCounter();
    device.add(1, again);
    IntStream.range(0, 3).forEach(this::raise);
    vfio.deliver();
    assertEquals(List.of(1L, 0L, 1L), all.stream().map(EventCounter::take).toList());
    assertEquals(2, again.take(), "what it raised meanwhile was pending behind its mask");
  }

  @Test
  @DisplayName("another trigger gets what had come for the one before and was not handed on")
  void handsOver() {
    device.enable(IrqType.MSIX, 1, counters(1));
    raise(0);
    EventCounter next = new EventCounter();
    device.add(0, next);
    vfio.deliver();
    assertEquals(1, next.take());
  }

  @Test
  @DisplayName(
      "of an eventfd of the user's own another trigger gets what was held back, and no more")
  void handsOverWhatWasHeld() {
    try (EventFd own = EventFd.create("own")) {
      device.enable(IrqType.MSIX, 1, List.of(own));
      raise(0);
      device.mask(0, true);
      raise(0);
      raise(0);
      EventCounter next = new EventCounter();
      device.add(0, next);
      vfio.deliver();
      assertEquals(1, next.take());
      assertEquals(1, own.take());
    }
  }

  @Test
  @DisplayName(
      "a trigger or a mask that the kernel refuses: the one before stays, nothing is left open")
  void refused() {
    try (EventFd own = EventFd.create("own")) {
      device.enable(IrqType.MSIX, 1, List.of(own));
      Map<String, Integer> enabled = Held.now();
      failing.failIoctl(VfioLayout.VFIO_DEVICE_SET_IRQS, Errno.EIO);
      assertThrows(ErrnoException.class, () -> device.add(0, new EventCounter()));
      assertEquals(enabled, Held.now());
      assertThrows(ErrnoException.class, () -> device.mask(0, true));
      assertEquals(enabled, Held.now());
      failing.fail(-1, Errno.EIO);
      raise(0);
      assertEquals(1, own.take());
    }
  }

  @Test
  @DisplayName("a vector that is masked when all are disabled leaves nothing open")
  void disabledWhileHeld() {
    try (EventFd own = EventFd.create("own")) {
      Map<String, Integer> opened = Held.now();
      device.enable(IrqType.MSIX, 1, List.of(own));
      device.mask(0, true);
      device.disable();
      assertEquals(opened, Held.now());
    }
  }
}
