package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Refused;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.DomainInUse;
import dev.doorbell.iommu.DoorbellExposesNeighbours;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.GroupUnavailable;
import dev.doorbell.iommu.Mapping;
import dev.doorbell.iommu.MappingOverlap;
import dev.doorbell.iommu.Misaligned;
import dev.doorbell.iommu.MsiWindow;
import dev.doorbell.iommu.MsiWindowAlreadySet;
import dev.doorbell.iommu.MsiWindowConflict;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.iommu.MsiWindowInUse;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.iommu.OutsideAperture;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegionConflict;
import dev.doorbell.iommu.UnmapSplitsMapping;
import dev.doorbell.iommu.VectorsLive;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// What another implementation of {@link Vfio} refuses by: the room `iommu` keeps none of its refusals to itself that the contract
/// names.
class RefusalsFromOutsideTest {
  private static final Source SYSFS = Source.rule("reserved_regions");
  private static final AddressRange WINDOW = AddressRange.ofSize(0x800_0000, 0x1000);
  private static final AddressRange OTHER = AddressRange.ofSize(0x800_0000, 0x2000);

  @Test
  @DisplayName("R2: a window that is too small carries both figures, whoever counts it")
  void exhausted() {
    Refusal small =
        MsiWindowExhausted.tooSmall(
                "container",
                new MsiWindow(WINDOW, Granule.K4, 1, 0),
                List.of("its@0x8080000", "its@0x80a0000"))
            .refusal();
    assertEquals(Optional.of(Figure.bytes(0x2000)), small.needed());
    assertEquals(Optional.of(Figure.bytes(0x1000)), small.available());
    Refusal none =
        MsiWindowExhausted.noWindow("container", Granule.K64, List.of("its@0x8080000")).refusal();
    assertEquals(Optional.of(Figure.bytes(0x1_0000)), none.needed());
    assertEquals(Optional.of(Figure.bytes(0)), none.available());
  }

  @Test
  @DisplayName(
      "section 4: each refusal of a domain names its type, both objects, a source and advice")
  void typed() {
    DoorbellFrame frame =
        new DoorbellFrame(
            "v2m@0x8020000", new Pa(0x802_0040), AddressRange.ofSize(0x802_0000, 0x1000), SYSFS);
    List<Refused> all =
        List.of(
            new DomainInUse("container", List.of("group 1")),
            new DoorbellExposesNeighbours("container", frame, OTHER, Granule.K64),
            new GroupUnavailable("cannot attach", "group 1", "attached", "detach it first"),
            new MappingOverlap("container", WINDOW, "mapping " + OTHER),
            new Misaligned("container", "mapping of 0x800 bytes", Granule.K4),
            new MsiWindowAlreadySet("container", WINDOW, OTHER),
            new MsiWindowConflict("cannot map", WINDOW, "mapping " + OTHER, SYSFS, "map elsewhere"),
            new MsiWindowInUse("container", WINDOW, List.of("its@0x8080000")),
            new NotIsolated("container", "group 1", "0000:01:00.0", "v2m@0x8020000", SYSFS),
            new OutsideAperture("container", "mapping " + OTHER, WINDOW, SYSFS),
            new ReservedRegionConflict("cannot map", "msi " + WINDOW, "mapping", SYSFS, "move it"),
            new UnmapSplitsMapping(
                "container", WINDOW, new Mapping(OTHER, new Pa(0), Protection.READ_WRITE)),
            new VectorsLive("cannot detach", "0000:01:00.0", "would lose them", SYSFS),
            new WindowFixedByKernel(OTHER, WINDOW, SYSFS));
    for (Refused r : all) {
      Refusal told = r.refusal();
      assertEquals(r.getClass().getSimpleName(), told.type());
      assertFalse(told.objects().isEmpty(), told.type());
      assertFalse(told.advice().isEmpty(), told.type());
      assertFalse(told.message().endsWith("."), told.message());
    }
  }
}
