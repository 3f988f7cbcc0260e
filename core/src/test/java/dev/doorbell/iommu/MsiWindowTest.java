package dev.doorbell.iommu;

import static dev.doorbell.iommu.Bench.ITS0;
import static dev.doorbell.iommu.Bench.ITS1;
import static dev.doorbell.iommu.Bench.V2M;
import static dev.doorbell.iommu.Bench.WINDOW;
import static dev.doorbell.iommu.Bench.lease;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.ReservedRegion.Kind;
import dev.doorbell.simple.SimpleIommu.Page;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 4: the MSI window of a domain")
class MsiWindowTest {
  private final Bench bench = new Bench();

  @Test
  void r01_theWindowIsTheDomainsBeforeOrAfterAttach() {
    Domain before = bench.user("before");
    before.reserveMsiWindow(WINDOW);
    before.attach(bench.group(1));
    Domain after = bench.user("after");
    after.attach(bench.group(2));
    after.reserveMsiWindow(WINDOW);
    assertEquals(new MsiWindow(WINDOW, Granule.K4, 256, 0), before.msiWindow().orElseThrow());
    assertEquals(before.msiWindow(), after.msiWindow());
  }

  @Test
  void oncePerDomain() {
    Domain d = bench.userWithWindow("d");
    MsiWindowAlreadySet e =
        assertThrows(
            MsiWindowAlreadySet.class, () -> d.reserveMsiWindow(AddressRange.ofSize(0, 0x1000)));
    assertEquals("MSI window [0x8000000, 0x80fffff] of d", e.refusal().objects().get(1));
    d.removeMsiWindow();
    d.reserveMsiWindow(AddressRange.ofSize(0, 0x1000));
  }

  @Test
  void r09_aMappingUnderTheWindowIsRefusedBothWays() {
    Domain d = bench.user("d");
    d.map(new Iova(0x80f_f000), new Pa(0), 0x2000, Protection.READ_WRITE);
    MsiWindowConflict e = assertThrows(MsiWindowConflict.class, () -> d.reserveMsiWindow(WINDOW));
    assertEquals(
        List.of("MSI window " + WINDOW, "mapping [0x80ff000, 0x8100fff] to 0x0"),
        e.refusal().objects());
    assertEquals(Optional.empty(), d.msiWindow());
    d.unmap(new AddressRange(0x80f_f000, 0x810_0fff));
    d.reserveMsiWindow(WINDOW);
    MsiWindowConflict ram =
        assertThrows(
            MsiWindowConflict.class,
            () -> d.map(new Iova(0), new Pa(0), 0x4000_0000L, Protection.READ_WRITE));
    assertEquals(
        List.of("MSI window " + WINDOW, "mapping [0x0, 0x3fffffff]"), ram.refusal().objects());
  }

  @Test
  void r11_aReservedRegionUnderTheWindowIsRefused() {
    for (Kind k : List.of(Kind.RESERVED, Kind.DIRECT, Kind.MSI)) {
      Domain d = bench.user("d");
      d.attach(bench.group(1, Bench.region(k, 0x80f_ffff, 0x10)));
      MsiWindowConflict e = assertThrows(MsiWindowConflict.class, () -> d.reserveMsiWindow(WINDOW));
      assertEquals(
          k.printed() + " region [0x80fffff, 0x810000e] of group 1", e.refusal().objects().get(1));
    }
    Domain d = bench.user("d");
    d.attach(
        bench.group(
            2,
            Bench.region(Kind.SW_MSI, 0x800_0000, 0x10_0000),
            Bench.region(Kind.DIRECT_RELAXABLE, 0x800_0000, 0x1000)));
    d.reserveMsiWindow(WINDOW);
  }

  @Test
  void r12_aWindowBeyondTheApertureIsRefused() {
    Domain d = bench.user("d");
    OutsideAperture e =
        assertThrows(
            OutsideAperture.class,
            () -> d.reserveMsiWindow(new AddressRange(0xffff_ffff_f000L, 0x1_0000_0000_0fffL)));
    assertEquals("aperture [0x0, 0xffffffffffff] of d", e.refusal().objects().get(1));
  }

  @Test
  void aWindowWithoutAWholeGranuleIsLegalAndHasNoSlot() {
    for (AddressRange r :
        List.of(
            new AddressRange(0x800_0000, 0x800_0ffe),
            new AddressRange(0x800_0001, 0x800_1ffe),
            new AddressRange(0x800_0800, 0x800_0801))) {
      Domain d = bench.user("d");
      d.reserveMsiWindow(r);
      assertEquals(0, d.msiWindow().orElseThrow().slots(), r.toString());
      IommuGroup g = bench.group(1);
      d.attach(g);
      MsiWindowExhausted e = assertThrows(MsiWindowExhausted.class, () -> lease(g, ITS0));
      assertEquals(0x1000, e.refusal().needed().orElseThrow().value());
      assertEquals(0, e.refusal().available().orElseThrow().value());
    }
  }

  @Test
  void slotsAreTheWholeGranules() {
    record Case(AddressRange range, long slots) {}
    for (Case c :
        List.of(
            new Case(new AddressRange(0x1000, 0x1fff), 1),
            new Case(new AddressRange(0x0fff, 0x2fff), 2),
            new Case(new AddressRange(0x1001, 0x3fff), 2),
            new Case(new AddressRange(0x1000, 0x3ffe), 2),
            new Case(AddressRange.ALL, 1L << 52),
            new Case(new AddressRange(0xffff_ffff_ffff_f000L, -1L), 1),
            new Case(new AddressRange(0xffff_ffff_ffff_f001L, -1L), 0))) {
      assertEquals(
          c.slots(),
          new MsiSlots(c.range(), Granule.K4, _ -> Granule.K4.bytes()).snapshot().slots(),
          c.range().toString());
    }
  }

  @Test
  void r02_aWindowThatIsTooSmallFailsTheClaimAndWritesNothing() {
    Domain d = bench.user("d");
    d.reserveMsiWindow(AddressRange.ofSize(0x800_0000, 0x1000));
    IommuGroup g = bench.group(1);
    d.attach(g);
    long writes = bench.hw.count();
    MsiWindowExhausted e = assertThrows(MsiWindowExhausted.class, () -> lease(g, ITS0, ITS1));
    assertEquals(
        List.of("MSI window [0x8000000, 0x8000fff] of d", ITS0.name(), ITS1.name()),
        e.refusal().objects());
    assertEquals(0x2000, e.refusal().needed().orElseThrow().value());
    assertEquals(0x1000, e.refusal().available().orElseThrow().value());
    assertEquals(writes, bench.hw.count());
    assertEquals(0, d.msiWindow().orElseThrow().used());
    lease(g, ITS0);
    assertEquals(
        List.of(ITS1.name()),
        assertThrows(MsiWindowExhausted.class, () -> lease(g, ITS0, ITS1))
            .refusal()
            .objects()
            .subList(1, 2));
  }

  @Test
  void r02_noWindowAtAllFailsTheClaim() {
    IommuGroup g = bench.group(1);
    bench.user("d").attach(g);
    MsiWindowExhausted e = assertThrows(MsiWindowExhausted.class, () -> lease(g, ITS0));
    assertEquals(0, e.refusal().available().orElseThrow().value());
    assertEquals(0x1000, e.refusal().needed().orElseThrow().value());
  }

  @Test
  void r03_theRequirementIsKnownBeforeAnythingIsMapped() {
    Domain d = bench.user("d");
    MsiRequirement r = d.msiRequirement(List.of(ITS0, ITS1, ITS0, V2M));
    assertEquals(3, r.pages());
    assertEquals(0x3000, r.bytes());
    assertEquals(12, r.alignmentOrder());
    assertEquals(List.of(), r.exposingNeighbours());
    DoorbellFrame near =
        new DoorbellFrame(
            "v2m@0x8021000",
            new Pa(0x802_1040),
            AddressRange.ofSize(0x802_1000, 0x1000),
            Bench.TEST);
    MsiRequirement big = MsiRequirement.of(Granule.K64, List.of(V2M, near, ITS0));
    assertEquals(2, big.pages(), "both GICv2m frames lie in one page of 64 KiB");
    assertEquals(0x2_0000, big.bytes());
    assertEquals(16, big.alignmentOrder());
    assertEquals(List.of(V2M, near), big.exposingNeighbours());
  }

  @Test
  void r05_aPageThatReachesBeyondTheFrameIsRefusedUnlessUnsafeInterruptsAreAllowed() {
    IommuGroup g = bench.group(1);
    Domain d = Domain.create("d", DomainPolicy.USER, bench.smmu0, Granule.K64);
    d.reserveMsiWindow(WINDOW);
    d.attach(g);
    DoorbellExposesNeighbours e =
        assertThrows(DoorbellExposesNeighbours.class, () -> lease(g, V2M));
    assertEquals(0x1_0000, e.refusal().needed().orElseThrow().value());
    assertEquals(0x1000, e.refusal().available().orElseThrow().value());
    lease(g, ITS0);
    IommuGroup g2 = bench.group(2);
    Domain trusted = Domain.create("t", DomainPolicy.TRUSTED_USER, bench.smmu0, Granule.K64);
    trusted.reserveMsiWindow(WINDOW);
    trusted.attach(g2);
    assertEquals(0x800_0040, lease(g2, V2M).getFirst().iova().value());
  }

  @Test
  void r06_oneDoorbellIsMappedOnceAndUnmappedWithItsLastUser() {
    Domain d = bench.userWithWindow("d");
    IommuGroup g = bench.group(1);
    IommuGroup h = bench.group(2);
    d.attach(g);
    d.attach(h);
    DoorbellLease a = lease(g, ITS0).getFirst();
    DoorbellLease b = lease(h, ITS0).getFirst();
    assertEquals(new Iova(0x800_0040), a.iova());
    assertEquals(a.iova(), b.iova());
    assertEquals(1, d.msiWindow().orElseThrow().used());
    assertEquals(Optional.of(0x809_0040L), bench.smmu0.write(1, 0x800_0040));
    a.release();
    assertEquals(Optional.of(0x809_0040L), bench.smmu0.write(2, 0x800_0040));
    b.release();
    assertEquals(Optional.empty(), bench.smmu0.write(2, 0x800_0040), "stale translation");
    assertEquals(0, d.msiWindow().orElseThrow().used());
    assertThrows(IllegalStateException.class, b::release);
  }

  @Test
  void r06_framesOfOnePageShareItsIova() {
    DoorbellFrame near =
        new DoorbellFrame(
            "v2m@0x8021000",
            new Pa(0x802_1040),
            AddressRange.ofSize(0x802_1000, 0x1000),
            Bench.TEST);
    Domain d = Domain.create("d", DomainPolicy.TRUSTED_USER, bench.smmu0, Granule.K64);
    d.reserveMsiWindow(WINDOW);
    IommuGroup g = bench.group(1);
    d.attach(g);
    DoorbellLease first = lease(g, V2M).getFirst();
    DoorbellLease second = lease(g, near).getFirst();
    assertEquals(new Iova(0x800_0040), first.iova());
    assertEquals(new Iova(0x800_1040), second.iova());
    assertEquals(1, d.msiWindow().orElseThrow().used());
    first.release();
    assertEquals(Optional.of(0x802_1040L), bench.smmu0.write(1, 0x800_1040));
    second.release();
    assertEquals(Optional.empty(), bench.smmu0.write(1, 0x800_1040));
  }

  @Test
  void r07_severalDoorbellsGetAGranuleEachTheLowestFreeFirst() {
    Domain d = bench.userWithWindow("d");
    IommuGroup g = bench.group(1);
    d.attach(g);
    List<DoorbellLease> two = lease(g, ITS0, ITS1);
    assertEquals(new Iova(0x800_0040), two.get(0).iova());
    assertEquals(new Iova(0x800_1040), two.get(1).iova());
    assertEquals(Optional.of(0x80b_0040L), bench.smmu0.write(1, 0x800_1040));
    two.get(0).release();
    assertEquals(new Iova(0x800_0040), lease(g, V2M).getFirst().iova());
  }

  @Test
  void aDoorbellIsDeviceMemoryAndWriteOnly() {
    Domain d = bench.userWithWindow("d");
    IommuGroup g = bench.group(1);
    d.attach(g);
    lease(g, ITS0);
    assertTrue(
        bench.smmu0.state().values().stream()
            .anyMatch(s ->
                s instanceof Map<?, ?> m
                    && new Page(0x809_0000, Protection.DOORBELL).equals(m.get(0x800_0000L))));
  }

  @Test
  void aWindowInUseCannotBeRemoved() {
    Domain d = bench.userWithWindow("d");
    IommuGroup g = bench.group(1);
    d.attach(g);
    DoorbellLease l = lease(g, ITS0).getFirst();
    MsiWindowInUse e = assertThrows(MsiWindowInUse.class, d::removeMsiWindow);
    assertEquals(ITS0.name(), e.refusal().objects().get(1));
    l.release();
    d.removeMsiWindow();
    assertThrows(IllegalStateException.class, d::removeMsiWindow);
  }

  @Test
  void r19_aReservedWindowHoldsNoPages() {
    Domain d = bench.user("d");
    IommuGroup g = bench.group(1);
    d.attach(g);
    var before = bench.state();
    long writes = bench.hw.count();
    d.reserveMsiWindow(WINDOW);
    assertEquals(List.of(), d.mappings());
    assertEquals(Optional.empty(), bench.smmu0.write(1, WINDOW.start()));
    DoorbellLease l = lease(g, ITS0).getFirst();
    assertEquals(List.of(), d.mappings(), "a doorbell is nobody's memory");
    assertEquals(Optional.empty(), bench.smmu0.write(1, 0x800_1000), "nor is the rest mapped");
    l.release();
    long after = bench.hw.count();
    d.removeMsiWindow();
    assertEquals(before, bench.state());
    assertEquals(after, bench.hw.count());
    assertTrue(after > writes, "the doorbell itself was written");
  }

  @Test
  void r19_aUsersUnmapPassesOverTheWindow() {
    Domain d = bench.userWithWindow("d");
    IommuGroup g = bench.group(1);
    d.attach(g);
    d.map(new Iova(0x7ff_f000), new Pa(0), 0x1000, Protection.READ_WRITE);
    lease(g, ITS0);
    assertEquals(0x1000, d.unmap(AddressRange.ALL));
    assertEquals(Optional.of(0x809_0040L), bench.smmu0.write(1, 0x800_0040));
    assertEquals(0, d.unmap(WINDOW));
  }

  @Test
  void r23_messagesThatBypassTheIommuNeedNoWindow() {
    Bench x86 = new Bench(true, false);
    Domain d = x86.user("d");
    IommuGroup g = x86.group(1, Bench.region(Kind.MSI, 0xfee0_0000L, 0x10_0000));
    d.attach(g);
    long writes = x86.hw.count();
    DoorbellLease l = lease(g, ITS0).getFirst();
    assertEquals(0x809_0040, l.iova().value());
    assertEquals(Optional.empty(), l.domain());
    l.release();
    assertThrows(IllegalStateException.class, l::release);
    assertEquals(writes, x86.hw.count());
  }

  @Test
  void r23_oneDomainHoldsHardwareAndSoftwareMsisAtOnce() {
    Domain d = bench.userWithWindow("d");
    IommuGroup hardware = bench.group(1, Bench.region(Kind.MSI, 0x80b_0000, 0x1_0000));
    d.removeMsiWindow();
    d.attach(hardware);
    d.reserveMsiWindow(AddressRange.ofSize(0xa000_0000L, 0x1000));
    List<DoorbellLease> both = lease(hardware, ITS1, ITS0);
    assertEquals(0x80b_0040, both.get(0).iova().value());
    assertEquals(0xa000_0040L, both.get(1).iova().value());
    assertEquals(1, d.msiWindow().orElseThrow().used());
  }

  @Test
  void r24_hardwareMsiRegionsAreNoIovas() {
    Domain d = bench.user("d");
    d.attach(bench.group(1, Bench.region(Kind.MSI, 0xfee0_0000L, 0x10_0000)));
    assertThrows(
        ReservedRegionConflict.class,
        () -> d.map(new Iova(0xfee0_0000L), new Pa(0), 0x1000, Protection.READ_WRITE));
    assertEquals(
        List.of(
            new AddressRange(0, 0xfedf_ffffL), new AddressRange(0xfef0_0000L, 0xffff_ffff_ffffL)),
        d.iovaRanges());
  }

  @Test
  void r26_withoutTranslationEverythingIsANoOp() {
    IommuGroup g = bench.group(1);
    g.bypass();
    long writes = bench.hw.count();
    DoorbellLease l = lease(g, ITS0).getFirst();
    assertEquals(0x809_0040, l.iova().value());
    l.release();
    assertEquals(writes, bench.hw.count());
    assertEquals(Optional.of(0x809_0040L), bench.smmu0.write(1, 0x809_0040));
  }

  @Test
  void r29_theReservedRegionsTellWhereTheWindowReallyIs() {
    Domain d = bench.user("d");
    d.attach(bench.group(1, Bench.region(Kind.SW_MSI, 0x800_0000, 0x10_0000)));
    assertEquals(List.of(), d.reservedRegions());
    AddressRange moved = AddressRange.ofSize(0xa000_0000L, 0x10_0000);
    d.reserveMsiWindow(moved);
    List<ReservedRegion> told = new ArrayList<>(d.reservedRegions());
    assertEquals(1, told.size());
    assertEquals(moved, told.getFirst().range());
    assertEquals(Kind.SW_MSI, told.getFirst().kind());
    assertEquals(
        List.of(
            new AddressRange(0, 0x9fff_ffffL), new AddressRange(0xa010_0000L, 0xffff_ffff_ffffL)),
        d.iovaRanges());
  }
}
