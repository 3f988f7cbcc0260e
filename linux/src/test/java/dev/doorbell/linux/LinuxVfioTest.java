package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("Linux: what is particular to the kernel's implementation, over a kernel in memory")
class LinuxVfioTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");
  private final Map<String, Integer> before = Held.now();

  private static FakeKernel kernel(Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    return k;
  }

  private static LinuxOptions options(FakeKernel k, Access access) {
    return new LinuxOptions(k.calls(), k.root(), access, false, f -> List.of());
  }

  private static List<EventCounter> counters(int n) {
    return IntStream.range(0, n).mapToObj(i -> new EventCounter()).toList();
  }

  @Test
  @DisplayName(
      "an EventFd as trigger goes to the kernel as it is; masked, it is held back and fires once")
  void eventFdsAreHandedOver(@TempDir Path root) {
    FakeKernel k = kernel(root);
    try (LinuxVfio vfio = LinuxVfio.open(options(k, Access.CONTAINER));
        Container c = vfio.open(ContainerOptions.USUAL);
        EventFd e = EventFd.create("mine")) {
      c.attach(vfio.group(F));
      try (Device d = vfio.group(F).open(F)) {
        d.config().write(4, 6, 2);
        d.enable(IrqType.MSIX, 1, List.of(e));
        d.region(RegionType.BAR0).write(DemoLayout.RING.offset(), 0, 4);
        assertEquals(0, vfio.deliver(), "nobody of this process is called");
        assertEquals(1, e.take());
        d.mask(0, true);
        d.region(RegionType.BAR0).write(DemoLayout.RING.offset(), 0, 4);
        d.region(RegionType.BAR0).write(DemoLayout.RING.offset(), 0, 4);
        assertEquals(0, e.take());
        d.mask(0, false);
        assertEquals(1, e.take());
      }
    }
    assertEquals(before, Held.now());
  }

  @Test
  @DisplayName(
      "fewer vectors than asked: those that there are, or VectorsExhausted with both figures")
  void vectorsRunOut(@TempDir Path root) {
    FakeKernel k = kernel(root);
    try (LinuxVfio vfio = LinuxVfio.open(options(k, Access.CONTAINER));
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (Device d = vfio.group(F).open(F)) {
        k.limitVectors(F, 3);
        VectorsExhausted e =
            assertThrows(VectorsExhausted.class, () -> d.enable(IrqType.MSIX, 4, counters(8)));
        assertEquals(4, e.refusal().needed().orElseThrow().value());
        assertEquals(3, e.refusal().available().orElseThrow().value());
        assertEquals(3, d.enable(IrqType.MSIX, 2, counters(8)));
        d.disable();
        k.limitVectors(F, 0);
        assertThrows(VectorsExhausted.class, () -> d.enable(IrqType.MSIX, 1, counters(1)));
      }
    }
    assertEquals(before, Held.now());
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "1, 2", "2, 5", "3, 4", "5, 6", "6, 8", "7, 8"})
  @DisplayName(
      "ENOSPC of processors, which tells no number: those that there are, or VectorsExhausted with both figures")
  void processorsRunOut(int left, int more, @TempDir Path root) throws InterruptedException {
    FakeKernel k = kernel(root);
    try (LinuxVfio vfio = LinuxVfio.open(options(k, Access.CONTAINER));
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (Device d = vfio.group(F).open(F)) {
        k.limitProcessors(F, left);
        VectorsExhausted e =
            assertThrows(VectorsExhausted.class, () -> d.enable(IrqType.MSIX, more, counters(8)));
        assertEquals(more, e.refusal().needed().orElseThrow().value());
        assertEquals(left, e.refusal().available().orElseThrow().value());
        if (left > 0) {
          List<EventCounter> counters = counters(8);
          assertEquals(left, d.enable(IrqType.MSIX, 1, counters));
          d.loopback(left - 1);
          assertEquals(1, counters.get(left - 1).await(vfio, Duration.ofSeconds(20)));
          d.disable();
          assertEquals(left, d.enable(IrqType.MSIX, left, counters(left)));
        }
      }
    }
    assertEquals(before, Held.now());
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "VFIO_PCI_REQ_IRQ_INDEX: that the host wants a function back is told beside its vectors, until it closes")
  void wantedBack(Access access, @TempDir Path root) {
    FakeKernel k = kernel(root);
    EventCounter asked = new EventCounter();
    EventCounter other = new EventCounter();
    List<EventCounter> vectors = counters(2);
    try (LinuxVfio vfio = LinuxVfio.open(options(k, access));
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (Device d = vfio.group(F).open(F)) {
        d.config().write(4, 6, 2);
        d.enable(IrqType.MSIX, 2, vectors);
        d.enable(IrqType.REQ, 1, List.of(asked));
        k.wantBack(F);
        vfio.deliver();
        assertEquals(1, asked.take());
        d.enable(IrqType.REQ, 1, List.of(other));
        d.disable();
        k.wantBack(F);
        vfio.deliver();
        assertEquals(0, asked.take());
        assertEquals(1, other.take(), "disable takes the function's vectors alone");
        assertEquals(0, vectors.getFirst().take());
      }
      k.wantBack(F);
    }
    assertEquals(before, Held.now());
  }

  @Test
  @DisplayName(
      "a function that is unplugged once its user closed it: container and binding end in good order")
  void unplugged(@TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "e1000e", false);
    LinuxOptions options = options(k, Access.CONTAINER);
    try (DriverBinding bound = DriverBinding.toVfio(options, F);
        LinuxVfio vfio = LinuxVfio.open(options);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (Device d = vfio.group(F).open(F)) {
        assertEquals(F, d.function());
      }
      k.unplug(F);
      assertEquals(Optional.of("e1000e"), bound.before());
    }
    assertEquals(before, Held.now());
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("a function that another process has: InUse, through either interface")
  void inUseElsewhere(Access access, @TempDir Path root) {
    FakeKernel k = kernel(root);
    try (LinuxVfio vfio = LinuxVfio.open(options(k, access));
        LinuxVfio other = LinuxVfio.open(options(k, access));
        Container c = vfio.open(ContainerOptions.USUAL);
        Container d = other.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      assertThrows(InUse.class, () -> d.attach(other.group(F)));
      assertTrue(d.groups().isEmpty());
    }
    assertEquals(before, Held.now());
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "what the kernel alone knows: EPERM is told as NotIsolated, and everything is given back")
  void kernelKnowsBetter(Access access, @TempDir Path root) {
    FakeKernel k = kernel(root);
    k.hideInterrupts();
    try (LinuxVfio vfio = LinuxVfio.open(options(k, access));
        Container c = vfio.open(ContainerOptions.USUAL)) {
      assertThrows(NotIsolated.class, () -> c.attach(vfio.group(F)));
      assertTrue(c.groups().isEmpty());
      k.allowUnsafeInterrupts(true);
      assertThrows(NotIsolated.class, () -> c.attach(vfio.group(F)), "its user does not allow it");
    }
    assertEquals(before, Held.now());
  }

  @Test
  @DisplayName(
      "section 4: a window with too few places is refused before the kernel would overrun it")
  void windowIsCountedBefore(@TempDir Path root) {
    FakeKernel k = kernel(root);
    List<DoorbellFrame> many =
        IntStream.range(0, 257)
            .mapToObj(i ->
                new DoorbellFrame(
                    "its" + i,
                    new Pa(0x1_0000_0040L + i * 0x1_0000L),
                    AddressRange.ofSize(0x1_0000_0000L + i * 0x1_0000L, 0x1_0000L),
                    Source.rule("test")))
            .toList();
    try (LinuxVfio vfio = LinuxVfio.open(options(k, Access.CONTAINER).withDoorbells(f -> many));
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      assertEquals(257, c.msiWindowNeed().pages());
      try (Device d = vfio.group(F).open(F)) {
        MsiWindowExhausted e =
            assertThrows(MsiWindowExhausted.class, () -> d.enable(IrqType.MSIX, 1, counters(1)));
        assertEquals(257 * 0x1000L, e.refusal().needed().orElseThrow().value());
        assertEquals(0x10_0000L, e.refusal().available().orElseThrow().value());
      }
    }
    assertEquals(before, Held.now());
  }

  private static Arena ended() {
    try (Arena arena = Arena.ofShared()) {
      return arena;
    }
  }

  @Test
  @DisplayName(
      "a BAR that is mapped for an arena that has ended, or is another thread's: refused, and not mapped")
  void mappedForNobody(@TempDir Path root) throws InterruptedException {
    FakeKernel k = kernel(root);
    Arena ended = ended();
    AddressRange registers = AddressRange.ofSize(0, 0x1000);
    try (LinuxVfio vfio = LinuxVfio.open(options(k, Access.CONTAINER));
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (LinuxDevice d = (LinuxDevice) vfio.group(F).open(F)) {
        Map<String, Integer> opened = Held.now();
        assertThrows(IllegalStateException.class, () -> d.map(RegionType.BAR0, registers, ended));
        try (Arena own = Arena.ofConfined()) {
          AtomicReference<Throwable> met = new AtomicReference<>();
          Thread.ofPlatform()
              .start(() ->
                  met.set(
                      assertThrows(
                          WrongThreadException.class,
                          () -> d.map(RegionType.BAR0, registers, own))))
              .join();
          assertNotNull(met.get());
          assertEquals(opened, Held.now());
          assertEquals(0x1000, d.map(RegionType.BAR0, registers, own).byteSize());
        }
        assertEquals(opened, Held.now());
      }
    }
    assertEquals(before, Held.now());
  }

  /// A function with DMA, vectors and a notice.
  private static Device open(LinuxVfio vfio) {
    Device d = vfio.group(F).open(F);
    d.config().write(4, 6, 2);
    d.enable(IrqType.MSIX, 1, counters(2));
    d.enable(IrqType.REQ, 1, counters(1));
    return d;
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "a close whose vectors or notices the kernel does not take back: DMA is stopped all the same, and every failure is told")
  void closeStopsDma(Access access, @TempDir Path root) {
    FakeKernel k = kernel(root);
    FailingCalls calls = new FailingCalls(k.calls());
    LinuxOptions options = new LinuxOptions(calls.calls(), k.root(), access, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(options);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      Device first = open(vfio);
      calls.fail(-1, Errno.EIO);
      first.close();
      List<String> usual = List.copyOf(calls.made());
      List<Integer> taking =
          IntStream.range(0, usual.size())
              .filter(i -> usual.get(i).equals("ioctl"))
              .boxed()
              .toList();
      assertEquals(2, taking.size(), usual.toString());
      for (int failing : taking) {
        Device d = open(vfio);
        assertTrue(k.isBusMaster(F));
        calls.fail(failing, Errno.EIO);
        RuntimeException e = assertThrows(RuntimeException.class, d::close);
        calls.fail(-1, Errno.EIO);
        assertFalse(k.isBusMaster(F), "after " + e);
      }
    }
    assertEquals(before, Held.now());
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("whichever system call fails, everything is given back and another try works")
  void everyFailureGivesBack(Access access, @TempDir Path root) {
    FakeKernel k = kernel(root);
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions options = new LinuxOptions(failing.calls(), root, access, false, f -> List.of());
    int failed = 0;
    for (int i = 0; i < 200; i++) {
      failing.fail(i, Errno.EIO);
      boolean whole = false;
      try {
        session(options);
        whole = true;
      } catch (ErrnoException e) {
        assertEquals(Errno.EIO, e.errno());
        failed++;
      }
      assertEquals(before, Held.now(), "after failure of call %d".formatted(i));
      if (whole) {
        assertTrue(failed > 15, "calls that failed: " + failed);
        return;
      }
    }
    throw new AssertionError("a session never ended");
  }

  /// Opens, maps, enables; closes whatever it got, with nothing failing any more.
  private static void session(LinuxOptions options) {
    List<AutoCloseable> open = new ArrayList<>();
    ErrnoException first = null;
    try {
      LinuxVfio vfio = LinuxVfio.open(options);
      open.addFirst(vfio);
      Container c = vfio.open(ContainerOptions.USUAL);
      open.addFirst(c);
      c.attach(vfio.group(F));
      DmaBuffer b = c.allocate(0x2000);
      open.add(1, b);
      c.map(new Iova(0x10_0000), b, Protection.READ_WRITE);
      Device d = vfio.group(F).open(F);
      open.addFirst(d);
      d.enable(IrqType.MSIX, 2, counters(2));
    } catch (ErrnoException e) {
      first = e;
    }
    for (AutoCloseable a : open) {
      try {
        a.close();
      } catch (ErrnoException e) {
        first = first == null ? e : first;
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
