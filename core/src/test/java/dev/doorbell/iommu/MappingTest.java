package dev.doorbell.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.simple.InjectedFault;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("VFIO type1 v2: mappings of a domain")
class MappingTest {
  private final Bench bench = new Bench();
  private final Domain domain = bench.user("d");

  private void map(long iova, long bytes) {
    domain.map(new Iova(iova), new Pa(0x4000_0000L + iova), bytes, Protection.READ_WRITE);
  }

  @Test
  void whatIsMappedTranslatesAndWhatIsNotDoesNot() {
    map(0x1000, 0x2000);
    assertEquals(Optional.of(new Pa(0x4000_2fff)), domain.translate(new Iova(0x2fff)));
    assertEquals(Optional.empty(), domain.translate(new Iova(0x3000)));
  }

  @Test
  void overlapIsRefusedAndNamesTheOlderMapping() {
    map(0x1000, 0x2000);
    MappingOverlap e = assertThrows(MappingOverlap.class, () -> map(0x2000, 0x1000));
    assertEquals(
        List.of("mapping [0x2000, 0x2fff]", "mapping [0x1000, 0x2fff] to 0x40001000"),
        e.refusal().objects());
    assertThrows(MappingOverlap.class, () -> map(0, 0x4000));
    assertEquals(1, domain.mappings().size());
  }

  @Test
  void partOfAGranuleIsRefused() {
    for (long[] at : new long[][] {{0x1001, 0x1000}, {0x1000, 0x1001}, {0x1000, 0}}) {
      Misaligned e = assertThrows(Misaligned.class, () -> map(at[0], at[1]));
      assertEquals(0x1000, e.refusal().needed().orElseThrow().value());
    }
    assertThrows(
        Misaligned.class, () -> domain.map(new Iova(0), new Pa(8), 0x1000, Protection.READ_ONLY));
  }

  @Test
  void r12_beyondTheApertureIsRefused() {
    map(0xffff_ffff_f000L, 0x1000);
    assertThrows(OutsideAperture.class, () -> map(0xffff_ffff_f000L, 0x2000));
    assertThrows(OutsideAperture.class, () -> map(0x1_0000_0000_0000L, 0x1000));
    OutsideAperture wraps =
        assertThrows(OutsideAperture.class, () -> map(0xffff_ffff_ffff_f000L, 0x2000));
    assertEquals("OutsideAperture", wraps.refusal().type());
  }

  @Test
  void unmapOfWholeMappingsPassesOverHolesAndTellsTheBytes() {
    map(0x1000, 0x1000);
    map(0x4000, 0x3000);
    assertEquals(0x4000, domain.unmap(new AddressRange(0, 0xffff)));
    assertEquals(List.of(), domain.mappings());
    assertEquals(Optional.empty(), domain.translate(new Iova(0x1000)));
    assertEquals(0, domain.unmap(new AddressRange(0, 0xffff)), "nothing was mapped");
  }

  @Test
  void unmapThatWouldCutAMappingIsRefusedWhole() {
    map(0x1000, 0x1000);
    map(0x4000, 0x3000);
    for (AddressRange r :
        List.of(
            new AddressRange(0x1000, 0x4fff),
            new AddressRange(0x5000, 0xffff),
            new AddressRange(0x5000, 0x5fff))) {
      UnmapSplitsMapping e = assertThrows(UnmapSplitsMapping.class, () -> domain.unmap(r));
      assertEquals("mapping [0x4000, 0x6fff] to 0x40004000", e.refusal().objects().get(1));
    }
    assertEquals(2, domain.mappings().size());
    assertEquals(Optional.of(new Pa(0x4000_1000)), domain.translate(new Iova(0x1000)));
  }

  @Test
  void unmapReachesTheDevicesCache() {
    IommuGroup g = bench.group(1);
    domain.attach(g);
    map(0x1000, 0x1000);
    assertEquals(Optional.of(0x4000_1008L), bench.smmu0.write(1, 0x1008));
    domain.unmap(new AddressRange(0x1000, 0x1fff));
    assertEquals(Optional.empty(), bench.smmu0.write(1, 0x1008));
  }

  @Test
  void anUnmapThatFailsInTheMiddleLeavesEveryMapping() {
    map(0x1000, 0x1000);
    map(0x4000, 0x1000);
    map(0x6000, 0x1000);
    var before = bench.state();
    for (int n = 1; n <= 3; n++) {
      bench.hw.failAt(n);
      assertThrows(InjectedFault.class, () -> domain.unmap(new AddressRange(0, 0xffff)));
      assertEquals(before, bench.state());
      assertEquals(3, domain.mappings().size());
    }
  }

  @Test
  void aMapThatFailsLeavesNothing() {
    var before = bench.state();
    bench.hw.failAt(1);
    assertThrows(InjectedFault.class, () -> map(0x1000, 0x1000));
    assertEquals(before, bench.state());
    map(0x1000, 0x1000);
  }

  @Test
  void aDomainWithGroupsCannotBeClosedAndAClosedOneRefuses() {
    IommuGroup g = bench.group(1);
    domain.attach(g);
    assertEquals(
        List.of("group 1"), assertThrows(DomainInUse.class, domain::close).refusal().objects());
    domain.detach(g);
    domain.close();
    domain.close();
    assertEquals(0, bench.smmu0.openSpaces());
    assertThrows(IllegalStateException.class, () -> map(0, 0x1000));
  }

  @Test
  void theGranuleIsTheCallersChoice() {
    Domain d64 = Domain.create("d64", DomainPolicy.USER, bench.smmu0, Granule.K64);
    assertThrows(
        Misaligned.class, () -> d64.map(new Iova(0x1000), new Pa(0), 0x1000, Protection.READ_ONLY));
    d64.map(new Iova(0x1_0000), new Pa(0), 0x1_0000, Protection.READ_ONLY);
  }
}
