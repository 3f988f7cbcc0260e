package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.IrqInfo;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NoSuchIrqs;
import dev.doorbell.vfio.RegionInfo;
import dev.doorbell.vfio.RegionType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Linux: a function's regions, interrupts and resets, over a kernel in memory")
class LinuxDeviceTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");

  /// Where the demonstration device has its MSI-X table.
  private static final RegionType TABLE = RegionType.BAR2;

  private final Map<String, Integer> before = Held.now();
  private FakeKernel kernel;
  private FailingCalls failing;

  @BeforeEach
  void start(@TempDir Path root) {
    kernel = new FakeKernel(root);
    kernel.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    failing = new FailingCalls(kernel.calls());
  }

  @AfterEach
  void givesAllBack() {
    assertEquals(before, Held.now());
  }

  private void with(Consumer<LinuxDevice> body) {
    LinuxOptions o =
        new LinuxOptions(failing.calls(), kernel.root(), Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (LinuxDevice d = (LinuxDevice) vfio.group(F).open(F)) {
        body.accept(d);
      }
    }
  }

  private static List<AddressRange> mappable(LinuxDevice d, RegionType type) {
    return d.regions().get(type.ordinal()).mappable();
  }

  @Test
  @DisplayName(
      "VFIO_REGION_INFO_CAP_SPARSE_MMAP: the kernel's parts, those without length left out, and nothing else is mapped")
  void parts() {
    kernel.functions.get(F).sparse =
        List.of(new long[] {0, 0x400}, new long[] {0x800, 0}, new long[] {0xc00, 0x400});
    with(d -> {
      List<AddressRange> parts =
          List.of(AddressRange.ofSize(0, 0x400), AddressRange.ofSize(0xc00, 0x400));
      assertEquals(parts, mappable(d, RegionType.BAR0));
      try (Arena arena = Arena.ofConfined()) {
        assertEquals(0x400, d.map(RegionType.BAR0, parts.getLast(), arena).byteSize());
        assertThrows(
            IllegalArgumentException.class,
            () -> d.map(RegionType.BAR0, AddressRange.ofSize(0, 0x1000), arena));
      }
    });
  }

  @Test
  @DisplayName("VFIO_REGION_INFO_FLAG_MMAP is not set: nothing of a BAR is mapped")
  void notMappable() {
    kernel.functions.get(F).mayBeMapped = false;
    with(d -> assertEquals(List.of(), mappable(d, RegionType.BAR0)));
  }

  @Test
  @DisplayName(
      "the pages of an MSI-X table are mapped for nobody, what follows them is, from its own place in the BAR")
  void aroundTheTable() {
    with(d -> {
      AddressRange rest = AddressRange.ofSize(0x1000, 0xf000);
      assertEquals(List.of(rest), mappable(d, TABLE));
      try (Arena arena = Arena.ofConfined()) {
        assertThrows(
            IllegalArgumentException.class,
            () -> d.map(TABLE, AddressRange.ofSize(0, 0x1000), arena));
        assertThrows(
            IllegalArgumentException.class,
            () -> d.map(RegionType.BAR5, AddressRange.ofSize(0, 0x1000), arena));
        failing.fail(-1, Errno.EIO);
        MemorySegment m = d.map(TABLE, AddressRange.ofSize(0x8000, 0x1000), arena);
        assertEquals(List.of("mmap"), failing.made());
        assertEquals(0x1000, m.byteSize());
        assertEquals(
            0x8000, kernel.lastMapped & 0xffff_ffffL, "from where the part begins in the BAR");
      }
    });
  }

  @Test
  @DisplayName(
      "a reset masks every entry of the user's copy of the table; of a closed function it is refused")
  void resets() {
    LinuxDevice[] gone = new LinuxDevice[1];
    with(d -> {
      for (Consumer<LinuxDevice> reset : resetsOf()) {
        d.region(TABLE).write(0, 0xfee0_0000L, Integer.BYTES);
        d.region(TABLE).write(12, 0, Integer.BYTES);
        assertEquals(0xfee0_0000L, d.region(TABLE).read(0, Integer.BYTES));
        reset.accept(d);
        assertEquals(0, d.region(TABLE).read(0, Integer.BYTES));
        assertEquals(1, d.region(TABLE).read(12, Integer.BYTES));
      }
      gone[0] = d;
    });
    for (Consumer<LinuxDevice> reset : resetsOf()) {
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> reset.accept(gone[0]));
      assertEquals("%s is closed".formatted(F), e.getMessage());
    }
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () -> gone[0].enable(IrqType.REQ, 1, List.of(new EventCounter())));
    assertEquals("%s is closed".formatted(F), e.getMessage());
  }

  private static List<Consumer<LinuxDevice>> resetsOf() {
    return List.of(LinuxDevice::reset, LinuxDevice::hotReset);
  }

  @Test
  @DisplayName(
      "VFIO_DEVICE_GET_IRQ_INFO: EINVAL is a type that the function has not; any other errno is told")
  void unknownTypes() {
    failing.failIoctl(VfioLayout.VFIO_DEVICE_GET_IRQ_INFO, Errno.EINVAL);
    with(d -> {
      failing.fail(-1, Errno.EIO);
      for (IrqInfo i : d.irqs()) {
        assertEquals(new IrqInfo(i.type(), 0, false), i);
        assertThrows(NoSuchIrqs.class, () -> d.enable(i.type(), 1, List.of(new EventCounter())));
      }
    });
    failing.failIoctl(VfioLayout.VFIO_DEVICE_GET_IRQ_INFO, Errno.ENXIO);
    ErrnoException e = assertThrows(ErrnoException.class, () -> with(d -> {}));
    assertEquals(Errno.ENXIO, e.errno());
  }

  @Test
  @DisplayName(
      "VFIO_IRQ_INFO_NORESIZE: MSI-X alone has vectors that come and go, and INTx has none though its flag is clear")
  void resizable() {
    kernel.giveLine(F);
    with(d -> d.irqs().forEach(i -> assertFalse(i.resizable(), i::toString)));
  }

  @Test
  @DisplayName(
      "accesses: whole, aligned, inside the region; every size is read as an unsigned number")
  void accesses() {
    with(d -> {
      long at = dev.doorbell.hw.pcie.DemoLayout.SOURCE.offset();
      d.region(RegionType.BAR0).write(at, 0xf1f2_f3f4_f5f6_f7f8L, Long.BYTES);
      assertEquals(0xf1f2_f3f4_f5f6_f7f8L, d.region(RegionType.BAR0).read(at, Long.BYTES));
      assertEquals(0xf5f6_f7f8L, d.region(RegionType.BAR0).read(at, Integer.BYTES));
      assertEquals(
          Integer.toUnsignedLong(d.config().read(0, 4)), d.region(RegionType.CONFIG).read(0, 4));
      assertEquals(0xff, d.region(RegionType.CONFIG).read(0xb, 1), "class code 0xff");
      assertEquals(
          0xff00 | d.region(RegionType.CONFIG).read(0xa, 1),
          d.region(RegionType.CONFIG).read(0xa, 2));
      for (long[] wrong :
          new long[][] {{2, 4}, {1, 2}, {0x1000, 1}, {0xffc, 8}, {-8, 8}, {0, 3}, {0, 16}}) {
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class,
                () -> d.bare(RegionType.BAR0).orElseThrow().read(wrong[0], (int) wrong[1]));
        assertTrue(e.getMessage().contains("which has 0x1000 bytes"), e::getMessage);
      }
    });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  @DisplayName("configuration space beyond what the kernel shows reads as ones, and is not written")
  void beyondConfig(int size) {
    kernel.functions.get(F).hiddenConfig = 0x40;
    with(d -> {
      failing.fail(-1, Errno.EIO);
      int beyond = (int) d.regions().get(RegionType.CONFIG.ordinal()).bytes();
      long ones = -1L >>> Long.SIZE - size * Byte.SIZE;
      assertEquals((int) ones, d.config().read(beyond, size));
      d.config().write(beyond, 0, size);
      assertEquals(List.of(), failing.made());
    });
  }

  @Test
  @DisplayName("a function whose configuration space the kernel does not show is not opened")
  void withoutConfig() {
    FakeFunction f = kernel.functions.get(F);
    f.hiddenConfig = f.model.config().size();
    IllegalStateException e = assertThrows(IllegalStateException.class, () -> with(d -> {}));
    assertTrue(e.getMessage().contains("no configuration space"), e::getMessage);
  }

  @Test
  @DisplayName("VFIO_REGION_INFO_FLAG_WRITE: a BAR that may be read alone says so")
  void readOnly() {
    kernel.functions.get(F).mayBeWritten = false;
    with(d -> {
      RegionInfo bar = d.regions().getFirst();
      assertTrue(bar.readable());
      assertFalse(bar.writable());
    });
  }

  @Test
  @DisplayName("an access of which the kernel makes a part only is told with both figures")
  void partOfAnAccess() {
    with(d -> {
      failing.shorten(true);
      ErrnoException e =
          assertThrows(ErrnoException.class, () -> d.region(RegionType.BAR0).read(0, 4));
      assertTrue(e.getMessage().contains("3 of 4 bytes"), e::getMessage);
      assertThrows(ErrnoException.class, () -> d.region(RegionType.BAR0).write(0, 0, 4));
      failing.shorten(false);
    });
  }
}
