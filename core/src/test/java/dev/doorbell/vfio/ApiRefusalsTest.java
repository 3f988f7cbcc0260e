package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.iommu.DeviceIdNotUnique;
import dev.doorbell.iommu.DoorbellExposesNeighbours;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.GranuleNotSupported;
import dev.doorbell.iommu.IncompatibleIommu;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.IommuGroup.Isolation;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Stream;
import dev.doorbell.iommu.MsiWindowAlreadySet;
import dev.doorbell.iommu.MsiWindowConflict;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.iommu.MsiWindowInUse;
import dev.doorbell.iommu.OutsideAperture;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.ReservedRegion.Kind;
import dev.doorbell.iommu.ReservedRegionConflict;
import dev.doorbell.iommu.StreamIdShared;
import dev.doorbell.irq.MessageOutOfReach;
import dev.doorbell.irq.MsiRoute;
import dev.doorbell.irq.MsiRoute.Target;
import dev.doorbell.irq.NoMsiController;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.simple.SimpleIommu;
import dev.doorbell.simple.SimpleMsiController;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// What the contract of all implementations does not provoke, on hardware that is made for it: each refusal by its type, through the user's API,
/// with everything as before.
@DisplayName("design 4: what the user's API refuses, and that nothing has changed then")
class ApiRefusalsTest {
  private static final Sbdf ONE = Sbdf.parse("00:10.0");
  private static final Sbdf TWO = Sbdf.parse("00:11.0");
  private static final AddressRange WINDOW = AddressRange.ofSize(0xa000_0000L, 0x10_0000);

  private final OwnLab lab = new OwnLab();
  private final List<Container> open = new ArrayList<>();

  private IommuGroup group(Sbdf f, SimpleIommu iommu, int id, ReservedRegion... regions) {
    return IommuGroup.of(
        f.device(),
        List.of(
            new Member(
                f.toString(),
                List.of(new Stream(iommu, id)),
                new Isolation(true, "its", OptionalInt.of(id), OwnLab.TEST))),
        List.of("alone"),
        List.of(regions),
        lab.ringers);
  }

  private static MsiRoute route(int deviceId, SimpleMsiController... controllers) {
    return new MsiRoute(
        Arrays.stream(controllers).map(c -> new Target(c, deviceId, c.frame())).toList(),
        4,
        OwnLab.TEST);
  }

  private HostFunction function(Sbdf f, EndpointSpec spec, ReservedRegion... regions) {
    return lab.function(
        f, spec, group(f, lab.iommu, f.requesterId(), regions), route(f.requesterId(), lab.its0));
  }

  private static ReservedRegion region(Kind kind, long start, long bytes) {
    return new ReservedRegion(AddressRange.ofSize(start, bytes), kind, OwnLab.TEST);
  }

  private static List<EventCounter> counters(int n) {
    return IntStream.range(0, n).mapToObj(_ -> new EventCounter()).toList();
  }

  private Container container(Vfio vfio, ContainerOptions options, Sbdf... functions) {
    Container c = vfio.open(options);
    open.add(c);
    for (Sbdf f : functions) {
      c.attach(vfio.group(f));
    }
    return c;
  }

  /// {@return what is told, after checking that it is told well and has changed nothing}
  private Refusal refused(Class<? extends RuntimeException> type, Executable step) {
    List<Object> hardware = lab.state();
    List<Object> software = software();
    RuntimeException e = assertThrows(type, step);
    Refusal r = ((Refused) e).refusal();
    assertEquals(type.getSimpleName(), r.type());
    assertFalse(r.objects().isEmpty());
    assertFalse(r.advice().isEmpty());
    assertEquals(hardware, lab.state(), r.message());
    assertEquals(software, software(), r.message());
    return r;
  }

  private List<Object> software() {
    List<Object> out = new ArrayList<>();
    for (Container c : open) {
      out.add(c.groups());
      out.add(c.msiWindow());
      out.add(c.reserved());
      out.add(c.groups().isEmpty() ? "" : c.iovaRanges());
    }
    return out;
  }

  @Test
  void memoryThatIsNotTheMachines() {
    Container c = container(lab.vfio(), ContainerOptions.USUAL, lab.msix().getFirst());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mine = arena.allocate(0x1000);
      refused(NotMachineMemory.class, () -> c.wrap(mine));
    }
    DmaBuffer foreign =
        (DmaBuffer)
            java.lang.reflect.Proxy.newProxyInstance(
                DmaBuffer.class.getClassLoader(),
                new Class<?>[] {DmaBuffer.class},
                (_, m, _) -> m.getName().equals("bytes") ? 0x1000L : null);
    refused(
        NotMachineMemory.class, () -> c.map(new Iova(0x10_0000), foreign, Protection.READ_WRITE));
    refused(NotMachineMemory.class, () -> c.map(foreign, Protection.READ_WRITE));
  }

  @Test
  void noControllerOrTooFewVectors() {
    Vfio vfio =
        lab.over(
            List.of(
                lab.function(ONE, EndpointSpec.demo(4), group(ONE, lab.iommu, 0x80), route(0x80)),
                function(TWO, EndpointSpec.demo(32))));
    container(vfio, ContainerOptions.USUAL, ONE, TWO);
    Device none = vfio.group(ONE).open(ONE);
    Refusal r = refused(NoMsiController.class, () -> none.enable(IrqType.MSIX, 2, counters(4)));
    assertEquals(2, r.needed().orElseThrow().value());
    Device d = vfio.group(TWO).open(TWO);
    r = refused(VectorsExhausted.class, () -> d.enable(IrqType.MSIX, 17, counters(20)));
    assertEquals(17, r.needed().orElseThrow().value());
    assertEquals(16, r.available().orElseThrow().value());
    assertEquals(16, d.enable(IrqType.MSIX, 1, counters(20)));
    Device other = vfio.group(TWO).container().isPresent() ? d : none;
    refused(InUse.class, () -> other.enable(IrqType.MSIX, 1, counters(1)));
  }

  @Test
  void aVectorThatCannotBeAddedLeavesTheOthers() {
    Vfio vfio = lab.over(List.of(function(ONE, EndpointSpec.demo(32))));
    container(vfio, ContainerOptions.USUAL, ONE);
    Device d = vfio.group(ONE).open(ONE);
    assertEquals(16, d.enable(IrqType.MSIX, 16, counters(16)));
    refused(VectorsExhausted.class, () -> d.add(20, new EventCounter()));
    assertEquals(Optional.empty(), d.trigger(20));
    assertTrue(d.trigger(15).isPresent());
  }

  @Test
  void windowsThatDoNotDo() {
    Vfio vfio =
        lab.over(
            List.of(
                function(ONE, EndpointSpec.demoMsi(new EndpointSpec.Msi(4, false, true))),
                function(TWO, EndpointSpec.demo(4))));
    ContainerOptions bare = ContainerOptions.USUAL.withoutAutomaticWindow();
    Container high = container(vfio, bare, ONE);
    Device d = vfio.group(ONE).open(ONE);
    refused(MsiWindowExhausted.class, () -> d.enable(IrqType.MSI, 1, counters(1)));
    high.reserveMsiWindow(AddressRange.ofSize(0x1_0000_0000L, 0x1000));
    Refusal reach = refused(MessageOutOfReach.class, () -> d.enable(IrqType.MSI, 1, counters(1)));
    assertTrue(reach.objects().contains(ONE.toString()), reach::toString);
    refused(MsiWindowAlreadySet.class, () -> high.reserveMsiWindow(WINDOW));
    high.removeMsiWindow();
    high.reserveMsiWindow(AddressRange.ofSize(WINDOW.start(), 0x800));
    Refusal small = refused(MsiWindowExhausted.class, () -> d.enable(IrqType.MSI, 1, counters(1)));
    assertEquals(0x1000, small.needed().orElseThrow().value());
    assertEquals(0, small.available().orElseThrow().value());
    high.removeMsiWindow();
    refused(
        OutsideAperture.class,
        () -> high.reserveMsiWindow(AddressRange.ofSize(0xffff_ffff_f000L, 0x2000)));
    high.reserveMsiWindow(WINDOW);
    assertEquals(2, d.enable(IrqType.MSI, 1, counters(2)));
    refused(MsiWindowInUse.class, high::removeMsiWindow);
    d.disable();
    high.removeMsiWindow();
    Container before = container(vfio, bare);
    before.reserveMsiWindow(AddressRange.ofSize(0xffff_ffff_f000L, 0x2000));
    refused(MsiWindowAlreadySet.class, () -> before.reserveMsiWindow(WINDOW));
    refused(OutsideAperture.class, () -> before.attach(vfio.group(TWO)));
    before.removeMsiWindow();
    before.attach(vfio.group(TWO));
  }

  @Test
  void regionsThatAGroupReserves() {
    AddressRange reserved = AddressRange.ofSize(0x20_0000, 0x2000);
    Vfio vfio =
        lab.over(
            List.of(
                function(
                    ONE,
                    EndpointSpec.demo(4),
                    region(Kind.RESERVED, reserved.start(), reserved.bytes()),
                    region(Kind.MSI, 0x30_0000, 0x1000),
                    region(Kind.DIRECT, 0x4000_8000L, 0x1000),
                    region(Kind.DIRECT_RELAXABLE, 0x40_0000, 0x1000)),
                function(TWO, EndpointSpec.demo(4))));
    Container c = container(vfio, ContainerOptions.USUAL, ONE);
    DmaBuffer b = c.allocate(0x1000);
    for (long at : new long[] {0x20_0000, 0x20_1000, 0x30_0000, 0x4000_8000L}) {
      refused(ReservedRegionConflict.class, () -> c.map(new Iova(at), b, Protection.READ_WRITE));
      assertTrue(c.iovaRanges().stream().noneMatch(r -> r.contains(at)), Long.toHexString(at));
    }
    c.map(new Iova(0x40_0000), b, Protection.READ_WRITE);
    c.map(new Iova(0x20_2000), b, Protection.READ_WRITE);
    assertEquals(2 * 0x1000L, c.unmap(AddressRange.ofSize(0, 0x100_0000)));
    assertEquals(Optional.of(0x4000_8000L), lab.iommu.write(ONE.requesterId(), 0x4000_8000L));
    c.detach(vfio.group(ONE));
    assertEquals(Optional.empty(), lab.iommu.write(ONE.requesterId(), 0x4000_8000L));
    Container late = container(vfio, ContainerOptions.USUAL, TWO);
    late.map(new Iova(0x20_1000), b, Protection.READ_WRITE);
    Refusal r = refused(ReservedRegionConflict.class, () -> late.attach(vfio.group(ONE)));
    assertTrue(r.objects().getFirst().contains(reserved.toString()), r::toString);
    late.unmap(AddressRange.ofSize(0x20_1000, 0x1000));
    late.removeMsiWindow();
    late.reserveMsiWindow(AddressRange.ofSize(0x20_1000, 0x4000));
    refused(MsiWindowConflict.class, () -> late.attach(vfio.group(ONE)));
    assertEquals(Optional.empty(), vfio.group(ONE).container());
    late.removeMsiWindow();
    late.attach(vfio.group(ONE));
    late.removeMsiWindow();
    refused(
        MsiWindowConflict.class,
        () -> late.reserveMsiWindow(AddressRange.ofSize(0x20_1000, 0x1000)));
  }

  @Test
  void iommusAndGranulesThatDoNotFit() {
    SimpleIommu other = SimpleIommu.ofKind("viommu", lab.hw, "another kind", 48);
    Vfio vfio =
        lab.over(
            List.of(
                function(ONE, EndpointSpec.demo(4)),
                lab.function(
                    TWO, EndpointSpec.demo(4), group(TWO, other, 0x88), route(0x88, lab.its1))));
    Container c = container(vfio, ContainerOptions.USUAL, ONE);
    Refusal r = refused(IncompatibleIommu.class, () -> c.attach(vfio.group(TWO)));
    assertTrue(r.objects().contains("viommu"), r::toString);
    Container odd = container(vfio, ContainerOptions.USUAL.withGranule(new Granule(13)));
    refused(GranuleNotSupported.class, () -> odd.attach(vfio.group(TWO)));
    assertEquals(Optional.empty(), vfio.group(TWO).container());
  }

  @Test
  void aDoorbellWhosePageHasNeighbours() {
    DoorbellFrame narrow =
        new DoorbellFrame(
            "its0", new Pa(0x809_0040), AddressRange.ofSize(0x809_0000, 0x1000), OwnLab.TEST);
    Vfio vfio =
        lab.over(
            List.of(
                lab.function(
                    ONE,
                    EndpointSpec.demo(4),
                    group(ONE, lab.iommu, 0x80),
                    new MsiRoute(List.of(new Target(lab.its0, 0x80, narrow)), 4, OwnLab.TEST))));
    Container c = container(vfio, ContainerOptions.USUAL.withGranule(Granule.K64), ONE);
    assertEquals(List.of("its0"), c.msiWindowNeed().exposing());
    Device d = vfio.group(ONE).open(ONE);
    Refusal r =
        refused(DoorbellExposesNeighbours.class, () -> d.enable(IrqType.MSIX, 1, counters(1)));
    assertEquals(0x1_0000, r.needed().orElseThrow().value());
    assertEquals(0x1000, r.available().orElseThrow().value());
  }

  @Test
  void idsThatTwoFunctionsHave() {
    int id = ONE.requesterId();
    Vfio vfio =
        lab.over(
            List.of(
                function(ONE, EndpointSpec.demo(4)),
                lab.function(
                    TWO, EndpointSpec.demo(4), group(TWO, lab.iommu, id), route(id, lab.its1))));
    Container c = container(vfio, ContainerOptions.USUAL);
    refused(StreamIdShared.class, () -> c.attach(vfio.group(ONE)));
    assertEquals(Optional.empty(), vfio.group(ONE).container());
  }

  @Test
  void aDeviceIdThatTwoFunctionsHave() {
    int id = ONE.requesterId();
    Sbdf three = Sbdf.parse("00:12.0");
    IommuGroup namesake =
        IommuGroup.of(
            TWO.device(),
            List.of(
                new Member(
                    TWO.toString(),
                    List.of(new Stream(lab.iommu, TWO.requesterId())),
                    new Isolation(true, "its1", OptionalInt.of(id), OwnLab.TEST))),
            List.of("alone"),
            List.of(),
            lab.ringers);
    Vfio vfio =
        lab.over(
            List.of(
                function(ONE, EndpointSpec.demo(4)),
                lab.function(TWO, EndpointSpec.demo(4), namesake, route(id, lab.its1)),
                lab.function(
                    three,
                    EndpointSpec.demo(4),
                    group(three, lab.iommu, three.requesterId()),
                    route(three.requesterId(), lab.its1))));
    container(vfio, ContainerOptions.USUAL, ONE, three);
    container(vfio, ContainerOptions.USUAL, TWO);
    Device beside = vfio.group(three).open(three);
    Device victim = vfio.group(TWO).open(TWO);
    victim.enable(IrqType.MSIX, 1, counters(1));
    Refusal r = refused(DeviceIdNotUnique.class, () -> beside.enable(IrqType.MSIX, 1, counters(1)));
    assertTrue(r.objects().contains(ONE.toString()), r::toString);
    victim.disable();
    beside.enable(IrqType.MSIX, 1, counters(1));
    refused(DeviceIdNotUnique.class, () -> victim.enable(IrqType.MSIX, 1, counters(1)));
  }

  @Test
  void noPlaceForAWindow() {
    Vfio vfio =
        lab.over(
            List.of(function(ONE, EndpointSpec.demo(4), region(Kind.RESERVED, 0, 0x1_0000_0000L))));
    Container c = container(vfio, ContainerOptions.USUAL);
    Refusal r = refused(NoPlaceForWindow.class, () -> c.attach(vfio.group(ONE)));
    assertEquals(0x3000, r.needed().orElseThrow().value());
    assertEquals(0, r.available().orElseThrow().value());
    assertEquals(Optional.empty(), vfio.group(ONE).container());
    Container bare = container(vfio, ContainerOptions.USUAL.withoutAutomaticWindow(), ONE);
    DmaBuffer b = bare.allocate(0x1000);
    assertEquals(0x1_0000_0000L, bare.map(b, Protection.READ_WRITE).iovas().start());
    bare.reserveMsiWindow(AddressRange.ofSize(0x2_0000_0000L, 0xfffe_0000_0000L));
    DmaBuffer large = bare.allocate(0x20_0000);
    bare.map(new Iova(0x1_0020_0000L), large, Protection.READ_WRITE);
    assertEquals(0x1_0040_0000L, bare.map(large, Protection.READ_WRITE).iovas().start());
  }

  @Test
  void aPlaceThatIsTooSmallForAWindow() {
    // Two granules are left below 4 GiB, at an odd one.
    Vfio vfio =
        lab.over(
            List.of(
                function(
                    ONE,
                    EndpointSpec.demo(4),
                    region(Kind.RESERVED, 0, 0x80_1000),
                    region(Kind.RESERVED, 0x80_3000, 0x1_0000_0000L - 0x80_3000))));
    Container c = container(vfio, ContainerOptions.USUAL);
    Refusal r = refused(NoPlaceForWindow.class, () -> c.attach(vfio.group(ONE)));
    assertEquals(0x3000, r.needed().orElseThrow().value());
    assertEquals(0x1000, r.available().orElseThrow().value());
  }
}
