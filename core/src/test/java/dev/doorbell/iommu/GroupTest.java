package dev.doorbell.iommu;

import static dev.doorbell.iommu.Bench.ITS0;
import static dev.doorbell.iommu.Bench.TEST;
import static dev.doorbell.iommu.Bench.WINDOW;
import static dev.doorbell.iommu.Bench.lease;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Placement;
import dev.doorbell.iommu.IommuGroup.Stream;
import dev.doorbell.iommu.ReservedRegion.Kind;
import dev.doorbell.simple.InjectedFault;
import dev.doorbell.simple.SimpleIommu;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 4: groups, their regions and their isolation")
class GroupTest {
  private final Bench bench = new Bench();

  private static void map(Domain d, long iova, long bytes) {
    d.map(new Iova(iova), new Pa(0x4000_0000L), bytes, Protection.READ_WRITE);
  }

  @Test
  void everyStreamOfEveryMemberIsAttachedAliasesToo() {
    Member a =
        new Member(
            "a",
            List.of(new Stream(bench.smmu0, 1), new Stream(bench.smmu0, 0x100)),
            Bench.member(bench.smmu0, 1, true).isolation());
    Member b =
        new Member(
            "b",
            List.of(new Stream(bench.smmu1, 2), new Stream(bench.smmu0, 0x100)),
            Bench.member(bench.smmu0, 2, true).isolation());
    IommuGroup g = IommuGroup.of(7, List.of(a, b), List.of("one bridge"), List.of(), bench.ringers);
    Domain d = bench.user("d");
    d.attach(g);
    map(d, 0x1000, 0x1000);
    assertEquals(Optional.of(0x4000_0000L), bench.smmu0.write(1, 0x1000));
    assertEquals(Optional.of(0x4000_0000L), bench.smmu0.write(0x100, 0x1000));
    assertEquals(Optional.of(0x4000_0000L), bench.smmu1.write(2, 0x1000));
    assertEquals(new Placement.In(d), g.placement());
    d.detach(g);
    assertEquals(Optional.empty(), bench.smmu1.write(2, 0x1000));
    assertEquals(Optional.empty(), bench.smmu0.write(0x100, 0x1000));
    assertEquals(new Placement.Blocked(), g.placement());
  }

  @Test
  void aGroupIsAttachedOnceAndDetachedFromWhereItIs() {
    IommuGroup g = bench.group(1);
    Domain d = bench.user("d");
    Domain e = bench.user("e");
    assertThrows(GroupUnavailable.class, () -> d.detach(g));
    d.attach(g);
    assertThrows(GroupUnavailable.class, () -> d.attach(g));
    assertThrows(GroupUnavailable.class, () -> e.detach(g));
    assertThrows(GroupUnavailable.class, g::bypass);
    assertThrows(GroupUnavailable.class, g::block);
  }

  @Test
  void r13_directRegionsAreIdentityMappedAndNeverMappedOver() {
    IommuGroup g =
        bench.group(
            1,
            Bench.region(Kind.DIRECT, 0x9_0000, 0x1800),
            Bench.region(Kind.DIRECT_RELAXABLE, 0xa_0000, 0x1000),
            Bench.region(Kind.RESERVED, 0xb_0000, 0x1000));
    Domain d = bench.user("d");
    d.attach(g);
    assertEquals(Optional.of(0x9_17ffL), bench.smmu0.write(1, 0x9_17ff));
    assertEquals(Optional.empty(), bench.smmu0.write(1, 0xa_0000), "relaxable: given up");
    for (long taken : new long[] {0x9_0000, 0x9_1000, 0xb_0000}) {
      ReservedRegionConflict e =
          assertThrows(ReservedRegionConflict.class, () -> map(d, taken, 0x1000));
      assertTrue(e.refusal().objects().getFirst().endsWith("of group 1"));
      assertEquals(TEST, e.refusal().source());
    }
    map(d, 0xa_0000, 0x1000);
    assertEquals(
        List.of(
            new AddressRange(0, 0x8_ffff),
            new AddressRange(0x9_1800, 0xa_ffff),
            new AddressRange(0xb_1000, 0xffff_ffff_ffffL)),
        d.iovaRanges());
    assertEquals(0, d.unmap(AddressRange.ofSize(0x9_0000, 0x2000)), "the region is not the user's");
    assertEquals(Optional.of(0x9_0000L), bench.smmu0.write(1, 0x9_0000));
    d.detach(g);
    assertEquals(Optional.empty(), d.translate(new Iova(0x9_0000)));
  }

  @Test
  void r13_theHostKeepsRelaxableRegionsToo() {
    IommuGroup g = bench.group(1, Bench.region(Kind.DIRECT_RELAXABLE, 0xa_0000, 0x1000));
    Domain d = Domain.create("host", DomainPolicy.HOST, bench.smmu0, Granule.K4);
    d.attach(g);
    assertEquals(Optional.of(0xa_0000L), bench.smmu0.write(1, 0xa_0000));
    assertThrows(ReservedRegionConflict.class, () -> map(d, 0xa_0000, 0x1000));
  }

  @Test
  void r13_regionsThatGroupsShareStayUntilTheLastOneLeaves() {
    IommuGroup a = bench.group(1, Bench.region(Kind.DIRECT, 0x9_0000, 0x3000));
    IommuGroup b = bench.group(2, Bench.region(Kind.DIRECT, 0x9_1000, 0x4000));
    Domain d = bench.user("d");
    d.attach(a);
    d.attach(b);
    d.detach(a);
    assertEquals(Optional.empty(), d.translate(new Iova(0x9_0000)));
    assertEquals(Optional.of(new Pa(0x9_1000)), d.translate(new Iova(0x9_1000)));
    assertEquals(Optional.of(new Pa(0x9_4000)), d.translate(new Iova(0x9_4000)));
    d.attach(a);
    d.detach(b);
    assertEquals(Optional.of(new Pa(0x9_2000)), d.translate(new Iova(0x9_2000)));
    assertEquals(Optional.empty(), d.translate(new Iova(0x9_3000)));
    d.detach(a);
    assertEquals(Optional.empty(), d.translate(new Iova(0x9_1000)));
  }

  @Test
  void r14_aNewGroupWhoseRegionMeetsALiveMappingIsRefusedCleanly() {
    Domain d = bench.user("d");
    d.attach(bench.group(1));
    map(d, 0x9_0000, 0x1000);
    var before = bench.state();
    long writes = bench.hw.count();
    IommuGroup late = bench.group(2, Bench.region(Kind.DIRECT, 0x9_0800, 0x10));
    ReservedRegionConflict e = assertThrows(ReservedRegionConflict.class, () -> d.attach(late));
    assertEquals(
        List.of(
            "direct region [0x90800, 0x9080f] of group 2",
            "mapping [0x90000, 0x90fff] to 0x40000000"),
        e.refusal().objects());
    assertEquals(before, bench.state());
    assertEquals(writes, bench.hw.count());
    assertEquals(new Placement.Blocked(), late.placement());
    assertEquals(1, d.groups().size());
    d.unmap(AddressRange.ofSize(0x9_0000, 0x1000));
    d.attach(late);
  }

  @Test
  void r11_aNewGroupWhoseRegionMeetsTheWindowIsRefused() {
    Domain d = bench.userWithWindow("d");
    IommuGroup g = bench.group(1, Bench.region(Kind.RESERVED, 0x80f_f000, 0x2000));
    MsiWindowConflict e = assertThrows(MsiWindowConflict.class, () -> d.attach(g));
    assertEquals("MSI window " + WINDOW, e.refusal().objects().getFirst());
    assertEquals(List.of(), d.groups());
  }

  @Test
  void r12_aDirectRegionBeyondTheApertureIsRefused() {
    Domain d = bench.user("d");
    IommuGroup g = bench.group(1, Bench.region(Kind.DIRECT, 0x1_0000_0000_0000L, 0x1000));
    assertThrows(OutsideAperture.class, () -> d.attach(g));
  }

  @Test
  void r21_aGroupThatIsNotIsolatedIsRefusedUnlessAllowed() {
    IommuGroup g =
        IommuGroup.of(
            1,
            List.of(Bench.member(bench.smmu0, 1, true), Bench.member(bench.smmu0, 2, false)),
            List.of(),
            List.of(),
            bench.ringers);
    assertFalse(g.isolatedMsi(), "the whole group must agree");
    Domain d = bench.user("d");
    NotIsolated e = assertThrows(NotIsolated.class, () -> d.attach(g));
    assertEquals(List.of("group 1", "0000:02:00.0", "v2m@0x8020000"), e.refusal().objects());
    assertEquals(0, bench.hw.count());
    Domain.create("t", DomainPolicy.TRUSTED_USER, bench.smmu0, Granule.K4).attach(g);
  }

  @Test
  void r22_functionsThatShareAFrameThatDoesNotIsolateCannotBeSplit() {
    IommuGroup pf =
        IommuGroup.of(
            1, List.of(Bench.member(bench.smmu0, 1, false)), List.of(), List.of(), bench.ringers);
    IommuGroup vf =
        IommuGroup.of(
            2, List.of(Bench.member(bench.smmu0, 2, false)), List.of(), List.of(), bench.ringers);
    IommuGroup behindAnIts = bench.group(3);
    Domain.create("host", DomainPolicy.HOST, bench.smmu0, Granule.K4).attach(pf);
    Domain guest = bench.user("guest");
    NotIsolated e = assertThrows(NotIsolated.class, () -> guest.attach(vf));
    assertEquals(List.of("group 2", "0000:02:00.0", "v2m@0x8020000"), e.refusal().objects());
    assertEquals(new Placement.Blocked(), vf.placement());
    guest.attach(behindAnIts);
    assertThrows(NotIsolated.class, () -> guest.attach(vf), "nor beside one that is isolated");
  }

  @Test
  void r27_isolationDoesNotChangeWhileAGroupIsBound() {
    IommuGroup g = bench.group(1);
    Domain d = bench.user("d");
    d.attach(g);
    IsolationChanged e =
        assertThrows(IsolationChanged.class, () -> g.add(Bench.member(bench.smmu0, 2, false)));
    assertEquals(List.of("group 1", "0000:02:00.0", "v2m@0x8020000"), e.refusal().objects());
    assertTrue(g.isolatedMsi());
    g.add(Bench.member(bench.smmu0, 3, true));
    map(d, 0x1000, 0x1000);
    assertEquals(Optional.of(0x4000_0000L), bench.smmu0.write(3, 0x1000));
    g.remove("0000:03:00.0");
    assertEquals(Optional.empty(), bench.smmu0.write(3, 0x1000));
    d.detach(g);
    g.add(Bench.member(bench.smmu0, 2, false));
    assertFalse(g.isolatedMsi());
    assertThrows(NotIsolated.class, () -> d.attach(g));
  }

  @Test
  void onlyIommusOfOneKindShareADomain() {
    Domain d = bench.user("d");
    SimpleIommu other = SimpleIommu.ofKind("viommu0", bench.hw, "other", 48);
    SimpleIommu narrow = SimpleIommu.ofKind("smmu2", bench.hw, "simple", 32);
    for (SimpleIommu i : List.of(other, narrow)) {
      IommuGroup g =
          IommuGroup.of(9, List.of(Bench.member(i, 9, true)), List.of(), List.of(), bench.ringers);
      IncompatibleIommu e = assertThrows(IncompatibleIommu.class, () -> d.attach(g));
      assertEquals(List.of("group 9", "d", i.id()), e.refusal().objects());
    }
    IommuGroup second =
        IommuGroup.of(
            3, List.of(Bench.member(bench.smmu1, 3, true)), List.of(), List.of(), bench.ringers);
    d.attach(second);
    map(d, 0, 0x1000);
    assertEquals(Optional.of(0x4000_0000L), bench.smmu1.write(3, 0));
  }

  @Test
  @DisplayName("a StreamID that an IOMMU has no place for is refused before the first write")
  void wideStreams() {
    Domain d = bench.user("d");
    IommuGroup wide =
        IommuGroup.of(
            9,
            List.of(Bench.member(bench.smmu0, 0x1_0000, true)),
            List.of(),
            List.of(),
            bench.ringers);
    IommuGroup g =
        IommuGroup.of(
            3,
            List.of(Bench.member(bench.smmu0, 0xffff, true)),
            List.of(),
            List.of(),
            bench.ringers);
    d.attach(g);
    var before = bench.state();
    StreamIdOutOfRange e = assertThrows(StreamIdOutOfRange.class, () -> d.attach(wide));
    String name = wide.members().getFirst().name();
    assertEquals(
        "cannot attach group 9 to d: %s has StreamID 0x10000 of smmu0, whose StreamIDs have 16 bits"
            .formatted(name),
        e.getMessage());
    assertEquals(List.of(name, "smmu0"), e.refusal().objects());
    assertThrows(StreamIdOutOfRange.class, () -> g.add(wide.members().getFirst()));
    assertEquals(before, bench.state());
    assertEquals(1, g.members().size());
  }

  @Test
  void anAttachThatFailsLeavesEveryStreamWhereItWas() {
    Member both =
        new Member(
            "both",
            List.of(new Stream(bench.smmu0, 1), new Stream(bench.smmu1, 1)),
            Bench.member(bench.smmu0, 1, true).isolation());
    IommuGroup g =
        IommuGroup.of(
            1,
            List.of(both),
            List.of(),
            List.of(Bench.region(Kind.DIRECT, 0x9_0000, 0x1000)),
            bench.ringers);
    Domain d = bench.userWithWindow("d");
    var before = bench.state();
    for (int n = 1; n <= 3; n++) {
      bench.hw.failAt(n);
      assertThrows(InjectedFault.class, () -> d.attach(g));
      assertEquals(before, bench.state(), "write " + n);
      assertEquals(List.of(), d.groups());
      assertEquals(new Placement.Blocked(), g.placement());
    }
    d.attach(g);
    assertEquals(0x800_0040, lease(g, ITS0).getFirst().iova().value());
  }
}
