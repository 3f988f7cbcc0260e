package dev.doorbell.iommu;

import static dev.doorbell.iommu.Bench.ITS0;
import static dev.doorbell.iommu.Bench.TEST;
import static dev.doorbell.iommu.Bench.WINDOW;
import static dev.doorbell.iommu.Bench.lease;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Placement;
import dev.doorbell.iommu.IommuGroup.Stream;
import dev.doorbell.iommu.ReservedRegion.Kind;
import dev.doorbell.simple.InjectedFault;
import dev.doorbell.simple.SimpleIommu;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 4: groups and their functions come and go, all of it or nothing")
class GroupChangesTest {
  private final Bench bench = new Bench();

  private static void map(Domain d, long iova, long bytes) {
    d.map(new Iova(iova), new Pa(0x4000_0000L), bytes, Protection.READ_WRITE);
  }

  @Test
  @DisplayName(
      "R20: a function with live vectors is not unplugged; one whose streams do not block stays whole")
  void unplugging() {
    Member both =
        new Member(
            "both",
            List.of(new Stream(bench.smmu0, 2), new Stream(bench.smmu1, 2)),
            Bench.member(bench.smmu0, 2, true).isolation());
    IommuGroup g =
        IommuGroup.of(
            1,
            List.of(both, Bench.member(bench.smmu0, 1, true)),
            List.of(),
            List.of(),
            bench.ringers);
    Domain d = bench.userWithWindow("d");
    d.attach(g);
    LiveFunction live = new LiveFunction(g, bench.hw, true, ITS0);
    assertThrows(IllegalArgumentException.class, () -> g.remove("nobody"));
    assertThrows(VectorsLive.class, () -> g.remove("both"));
    live.release();
    var before = bench.state();
    for (int n = 1; n <= 2; n++) {
      bench.hw.failAt(n);
      assertThrows(InjectedFault.class, () -> g.remove("both"));
      assertEquals(before, bench.state(), "write " + n);
      assertEquals(2, g.members().size());
    }
    bench.hw.neverFail();
    g.remove("both");
    assertEquals(List.of("0000:01:00.0"), g.members().stream().map(Member::name).toList());
  }

  @Test
  @DisplayName("R13: direct regions come and go with their groups, at every write or not at all")
  void directRegionsThatFail() {
    IommuGroup one =
        bench.group(
            1,
            Bench.region(Kind.DIRECT, 0x9_0000, 0x1000),
            Bench.region(Kind.DIRECT, 0xa_0000, 0x1000));
    IommuGroup two = bench.group(2, Bench.region(Kind.DIRECT, 0xa_0000, 0x3000));
    Domain d = bench.user("d");
    Domain other = bench.user("other");
    allOrNothing(() -> d.attach(one), d, other);
    allOrNothing(() -> d.attach(two), d, other);
    assertEquals(Optional.of(0xa_2000L), bench.smmu0.write(1, 0xa_2000));
    allOrNothing(() -> other.attach(one), d, other);
    assertEquals(List.of(two), d.groups());
    assertEquals(List.of(one), other.groups());
    assertEquals(
        Optional.empty(), bench.smmu0.write(2, 0x9_0000), "with the last that reserves it");
    assertEquals(Optional.of(0xa_0000L), bench.smmu0.write(2, 0xa_0000));
    allOrNothing(() -> other.detach(one), d, other);
    allOrNothing(() -> d.detach(two), d, other);
    d.close();
    other.close();
  }

  @Test
  @DisplayName(
      "R14: plugging, bypassing and blocking are all or nothing, and leave streams that others have alone")
  void streamsThatOthersHave() {
    Member first = Bench.member(bench.smmu0, 1, true);
    IommuGroup g = IommuGroup.of(1, List.of(first), List.of("aliases"), List.of(), bench.ringers);
    Domain d = bench.user("d");
    d.attach(g);
    map(d, 0x1000, 0x1000);
    Member alias =
        new Member(
            "alias",
            List.of(
                new Stream(bench.smmu0, 1), new Stream(bench.smmu0, 2), new Stream(bench.smmu1, 2)),
            first.isolation());
    allOrNothing(() -> g.add(alias), d);
    assertEquals(Optional.of(0x4000_0000L), bench.smmu1.write(2, 0x1000));
    allOrNothing(() -> g.remove("alias"), d);
    assertEquals(Optional.empty(), bench.smmu1.write(2, 0x1000));
    assertEquals(Optional.of(0x4000_0000L), bench.smmu0.write(1, 0x1000), "the other one has it");
    SimpleIommu other = SimpleIommu.ofKind("viommu", bench.hw, "another kind", 48);
    assertThrows(
        IncompatibleIommu.class,
        () -> g.add(new Member("far", List.of(new Stream(other, 5)), first.isolation())));
    assertEquals(List.of(first), g.members());
    g.add(alias);
    d.detach(g);
    allOrNothing(g::bypass);
    assertEquals(new Placement.Bypassing(), g.placement());
    assertEquals(Optional.of(0x1000L), bench.smmu1.write(2, 0x1000));
    allOrNothing(g::block);
    assertEquals(Optional.empty(), bench.smmu0.write(1, 0x1000));
  }

  @Test
  @DisplayName("R6: doorbells that share a page need one place of the window")
  void doorbellsOfOnePage() {
    DoorbellFrame near = Bench.its("near", 0x900_0000);
    DoorbellFrame same = new DoorbellFrame("same", new Pa(0x900_0080), near.frame(), TEST);
    Domain d = bench.user("d");
    d.reserveMsiWindow(AddressRange.ofSize(WINDOW.start(), 0x1000));
    IommuGroup g = bench.group(1);
    d.attach(g);
    d.requireRoom(List.of(near, same));
    assertEquals(1, d.msiRequirement(List.of(near, same)).pages());
    List<DoorbellLease> leases = lease(g, near, same);
    assertEquals(0x800_0040, leases.get(0).iova().value());
    assertEquals(0x800_0080, leases.get(1).iova().value());
    assertEquals(1, d.msiWindow().orElseThrow().used());
    leases.getFirst().release();
    assertEquals(Optional.of(0x900_0080L), bench.smmu0.write(1, 0x800_0080));
    leases.getLast().release();
    assertEquals(Optional.empty(), bench.smmu0.write(1, 0x800_0080));
  }

  /// Does a step, after it has failed at each of its writes and left everything as before.
  private void allOrNothing(Runnable step, Domain... domains) {
    for (int n = 1; ; n++) {
      var before = bench.state();
      List<Set<IommuGroup>> groups = groupsOf(domains);
      bench.hw.failAt(n);
      try {
        step.run();
        bench.hw.neverFail();
        assertTrue(n > 1, "it writes something");
        return;
      } catch (InjectedFault e) {
        assertEquals(List.of(), List.of(e.getSuppressed()), "rollback of write " + n);
        assertEquals(before, bench.state(), "write " + n);
        assertEquals(groups, groupsOf(domains));
      }
    }
  }

  private static List<Set<IommuGroup>> groupsOf(Domain... domains) {
    return Arrays.stream(domains).map(d -> Set.copyOf(d.groups())).toList();
  }
}
