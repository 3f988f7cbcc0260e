package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.iommu.Misaligned;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.WindowFixedByKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("Linux on POWER: containers with SPAPR TCE, over a kernel in memory")
class SpaprTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");
  private static final Sbdf G = Sbdf.parse("00:02.0");
  private static final AddressRange FIRST = AddressRange.ofSize(0, 0x8000_0000L);
  private static final long BIG = 0x100_0000_0000L;

  private final Map<String, Integer> before = Held.now();
  @TempDir Path root;

  @AfterEach
  void givesAllBack() {
    assertEquals(before, Held.now());
  }

  private FakeKernel kernel(FakePower power) {
    FakeKernel k = new FakeKernel(root);
    k.makePower(power);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    k.add(G, EndpointSpec.demo(8), "vfio-pci", false);
    return k;
  }

  private static void with(FakeKernel k, Consumer<LinuxContainer> body) {
    LinuxOptions o = new LinuxOptions(k.calls(), k.root(), Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      body.accept(c);
    }
  }

  private static void attachSecond(FakeKernel k) {
    LinuxOptions o = new LinuxOptions(k.calls(), k.root(), Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      c.attach(vfio.group(G));
      assertEquals(2, c.groups().size());
    }
  }

  @ParameterizedTest
  @EnumSource(value = FakePower.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  @DisplayName("memory is mapped in the window that the platform begins with, and found again")
  void firstWindow(FakePower power) {
    with(
        kernel(power),
        c -> {
          assertEquals(List.of(FIRST), c.iovaRanges());
          assertEquals(Granule.K4, c.granule());
          try (DmaBuffer b = c.allocate(0x3000)) {
            c.map(new Iova(0x10_0000), b, Protection.READ_WRITE);
            assertEquals(0x3000, c.unmap(FIRST));
          }
        });
  }

  @Test
  @DisplayName(
      "the table of the platform's window counts as locked, which the refusal of the first mapping says")
  void firstWindowIsLocked() {
    FakeKernel k = kernel(FakePower.POWERNV);
    k.mayLock = 0x1_0000;
    with(
        k,
        c -> {
          try (DmaBuffer b = c.allocate(0x4000)) {
            ErrnoException e =
                assertThrows(
                    ErrnoException.class,
                    () -> c.map(new Iova(0x10_0000), b, Protection.READ_WRITE));
            assertEquals(Errno.ENOMEM, e.errno());
            String told = e.refusal().message();
            assertTrue(told.contains("table of the window"), told);
            assertTrue(told.contains("0x800000 bytes cannot be locked"), told);
            k.mayLock = 0x80_4000;
            c.map(new Iova(0x10_0000), b, Protection.READ_WRITE);
            assertEquals(0x4000, c.unmap(FIRST), "the refused one left nothing registered");
          }
        });
  }

  @Test
  @DisplayName("a window of the user's own is refused, and the kernel is not said to have one")
  void noWindow() {
    with(
        kernel(FakePower.POWERNV),
        c -> {
          assertEquals(Optional.empty(), c.msiWindow());
          WindowFixedByKernel e =
              assertThrows(
                  WindowFixedByKernel.class,
                  () -> c.reserveMsiWindow(AddressRange.ofSize(0xa000_0000L, 0x10_0000)));
          String told = e.refusal().message();
          assertTrue(told.contains("they need no window"), told);
          assertFalse(told.contains("0x8000000"), told);
        });
  }

  @Test
  @DisplayName(
      "a buffer is registered once for all its parts, and no more once the last one is unmapped")
  void partsShareARegistration() {
    FakeKernel k = kernel(FakePower.POWERNV);
    with(
        k,
        c -> {
          try (DmaBuffer b = c.allocate(0x4000)) {
            DmaBuffer low = b.part(AddressRange.ofSize(0, 0x1000));
            DmaBuffer high = b.part(AddressRange.ofSize(0x3000, 0x1000));
            c.map(new Iova(0x10_0000), low, Protection.READ_WRITE);
            c.map(new Iova(0x20_0000), high, Protection.READ_WRITE);
            k.mayLock = 0;
            c.map(new Iova(0x30_0000), high, Protection.READ_ONLY);
            assertEquals(0x1000, c.unmap(AddressRange.ofSize(0x10_0000, 0x1000)));
            assertEquals(0x2000, c.unmap(AddressRange.ofSize(0x20_0000, 0x20_0000)));
            ErrnoException e =
                assertThrows(
                    ErrnoException.class,
                    () -> c.map(new Iova(0x10_0000), low, Protection.READ_WRITE));
            assertEquals(Errno.ENOMEM, e.errno(), "it has to be registered again");
            assertEquals(0x4000, e.refusal().needed().orElseThrow().value());
            assertEquals(8388608, e.refusal().available().orElseThrow().value());
          }
        });
  }

  @Test
  @DisplayName("memory that meets other memory of the container is refused in words")
  void overlappingMemory() {
    with(
        kernel(FakePower.POWERNV),
        c -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment m = arena.allocate(0x3000, 0x1000);
            c.map(new Iova(0x10_0000), c.wrap(m.asSlice(0, 0x2000)), Protection.READ_WRITE);
            DmaBuffer other = c.wrap(m.asSlice(0x1000, 0x2000));
            ErrnoException e =
                assertThrows(
                    ErrnoException.class,
                    () -> c.map(new Iova(0x20_0000), other, Protection.READ_WRITE));
            assertTrue(e.getMessage().contains("meets other memory"), e.getMessage());
            assertEquals(0x2000, c.unmap(FIRST));
            c.map(new Iova(0x20_0000), other, Protection.READ_WRITE);
          }
        });
  }

  @Test
  @DisplayName(
      "VFIO_IOMMU_SPAPR_TCE_CREATE: a second window, with tables of as many levels as it needs")
  void secondWindow() {
    with(
        kernel(FakePower.POWERNV),
        c -> {
          DmaWindow w = c.addWindow(Granule.K64, BIG);
          assertEquals(AddressRange.ofSize(0x0800_0000_0000_0000L, BIG), w.iovas());
          assertEquals(Granule.K64, w.granule());
          assertEquals(List.of(FIRST, w.iovas()), c.iovaRanges());
          KernelLacks more = assertThrows(KernelLacks.class, () -> c.addWindow(Granule.K64, BIG));
          assertEquals("NoMoreWindows", more.refusal().type());
          try (DmaBuffer b = c.allocate(0x3_0000);
              DmaBuffer low = c.allocate(0x1000)) {
            assertThrows(
                Misaligned.class,
                () -> c.map(new Iova(w.iovas().start()), low, Protection.READ_WRITE),
                "pages there have 64 KiB");
            long odd = -b.segment().orElseThrow().address() & 0xffff;
            DmaBuffer aligned = b.part(AddressRange.ofSize(odd, 0x1_0000));
            DmaBuffer beside = b.part(AddressRange.ofSize(odd ^ 0x1000, 0x1_0000));
            assertThrows(
                Misaligned.class,
                () -> c.map(new Iova(w.iovas().start()), beside, Protection.READ_WRITE),
                "memory lies in whole pages of 64 KiB, too");
            ErrnoException small =
                assertThrows(
                    ErrnoException.class,
                    () -> c.map(new Iova(w.iovas().start()), aligned, Protection.READ_WRITE));
            assertTrue(small.getMessage().contains("pages are smaller"), small.getMessage());
            c.map(new Iova(0x10_0000), low, Protection.READ_WRITE);
            assertThrows(InUse.class, () -> c.removeWindow(c.windows().getFirst()));
            assertEquals(0x1000, c.unmap(AddressRange.ALL));
          }
          c.removeWindow(w);
          assertEquals(List.of(FIRST), c.iovaRanges());
          ErrnoException ragged =
              assertThrows(ErrnoException.class, () -> c.addWindow(Granule.K64, 0x3_0000));
          assertTrue(ragged.refusal().advice().contains("0x40211000"), ragged.refusal().advice());
          assertThrows(IllegalArgumentException.class, () -> c.removeWindow(w));
        });
  }

  @Test
  @DisplayName(
      "version 1: the whole window counts as locked; with too little room the container is as before")
  void firstVersionCountsItsWindow() {
    FakeKernel k = kernel(FakePower.V1);
    k.mayLock = 0x1000;
    LinuxOptions o = new LinuxOptions(k.calls(), k.root(), Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      ErrnoException e = assertThrows(ErrnoException.class, () -> c.attach(vfio.group(F)));
      assertEquals("VFIO_IOMMU_ENABLE", e.operation());
      assertEquals(FIRST.bytes(), e.refusal().needed().orElseThrow().value());
      assertTrue(c.groups().isEmpty());
      k.mayLock = FIRST.bytes();
      c.attach(vfio.group(F));
      assertThrows(KernelLacks.class, () -> c.addWindow(Granule.K64, BIG));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = FakePower.class,
      names = {"V1", "PSERIES"})
  @DisplayName("a second group where a container has one is refused in words")
  void oneGroup(FakePower power) {
    FakeKernel k = kernel(power);
    ErrnoException e = assertThrows(ErrnoException.class, () -> attachSecond(k));
    assertTrue(e.getMessage().contains("cannot share a table"), e.getMessage());
  }

  @Test
  @DisplayName("powernv: groups share a container")
  void groupsShare() {
    attachSecond(kernel(FakePower.POWERNV));
  }

  @Test
  @DisplayName("what devices write is not remembered there, nor is there a limit of mappings")
  void lacks() {
    with(
        kernel(FakePower.POWERNV),
        c -> {
          KernelLacks e = assertThrows(KernelLacks.class, c::trackWrites);
          assertEquals("NoDirtyTracking", e.refusal().type());
          assertFalse(c.mappingsLeft().isPresent());
        });
  }
}
