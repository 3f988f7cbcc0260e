package dev.doorbell.iommu;

import static dev.doorbell.iommu.Bench.ITS0;
import static dev.doorbell.iommu.Bench.ITS1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Refusal;
import dev.doorbell.iommu.IommuGroup.Isolation;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Placement;
import dev.doorbell.iommu.IommuGroup.Stream;
import dev.doorbell.simple.InjectedFault;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Two ITSes whose functions firmware gives the same DeviceIDs. `x` is behind the first and `z` behind the second, both with DeviceID
/// 0x100; `y` is behind the second with an id of its own. Where `x` and the second doorbell meet in one domain, `x` can raise what `z`
/// has at the second ITS.
class DeviceIdTest {
  private static final int SHARED = 0x100;

  private final Bench bench = new Bench();
  private final IommuGroup x = group(1, "x", SHARED);
  private final IommuGroup y = group(2, "y", 0x200);
  private final IommuGroup z = group(3, "z", SHARED);
  private final Domain d1 = bench.userWithWindow("d1");
  private final Domain d2 = bench.userWithWindow("d2");

  private IommuGroup group(int id, String name, int deviceId, ReservedRegion... regions) {
    return IommuGroup.of(
        id, List.of(member(id, name, deviceId)), List.of("alone"), List.of(regions), bench.ringers);
  }

  private Member member(int stream, String name, int deviceId) {
    return new Member(
        name,
        List.of(new Stream(bench.smmu0, stream)),
        new Isolation(true, "an ITS", OptionalInt.of(deviceId), Bench.TEST));
  }

  private LiveFunction live(IommuGroup group, DoorbellFrame frame) {
    return new LiveFunction(group, bench.hw, true, frame);
  }

  /// Refused by name, and everything as before.
  private void refused(String attempt, Runnable step) {
    var before = bench.state();
    long writes = bench.hw.count();
    var windows = List.of(d1.msiWindow(), d2.msiWindow(), d1.groups(), d2.groups());
    Refusal r = assertThrows(DeviceIdNotUnique.class, step::run).refusal();
    assertTrue(r.message().startsWith(attempt), r.message());
    assertTrue(r.message().contains("DeviceID 0x100"), r.message());
    assertEquals(List.of("x", "z", ITS1.name()), r.objects().subList(0, 3));
    assertEquals(writes, bench.hw.count(), "hardware writes");
    assertEquals(before, bench.state());
    assertEquals(windows, List.of(d1.msiWindow(), d2.msiWindow(), d1.groups(), d2.groups()));
  }

  @Test
  @DisplayName("R7: in one domain it is one owner's affair: both have vectors")
  void oneDomain() {
    d1.attach(x);
    d1.attach(z);
    live(x, ITS0);
    assertEquals(Optional.of(ITS1.doorbell().value()), live(z, ITS1).ring(0));
  }

  @Test
  @DisplayName(
      "R21: vectors of a namesake are refused while another domain maps its doorbell, until that is unmapped")
  void enabling() {
    d1.attach(x);
    d1.attach(y);
    d2.attach(z);
    LiveFunction other = live(y, ITS1);
    refused("cannot give [z] vectors at [its@0x80a0000]", () -> live(z, ITS1));
    other.release();
    live(z, ITS1);
  }

  @Test
  @DisplayName(
      "R21: a doorbell is not mapped beside a namesake of a function that rings there, until that has no vectors")
  void mapping() {
    d1.attach(x);
    d1.attach(y);
    d2.attach(z);
    LiveFunction victim = live(z, ITS1);
    refused("cannot give [y] vectors", () -> live(y, ITS1));
    live(x, ITS0);
    victim.release();
    live(y, ITS1);
  }

  @Test
  @DisplayName(
      "R21: a namesake is not attached where the other's doorbell is mapped, until it is not")
  void attaching() {
    d1.attach(y);
    d2.attach(z);
    LiveFunction other = live(y, ITS1);
    live(z, ITS1);
    refused("cannot attach group 1 to d1", () -> d1.attach(x));
    assertEquals(new Placement.Blocked(), x.placement());
    other.release();
    d1.attach(x);
  }

  @Test
  @DisplayName(
      "R8: a live function leaves the domain of its namesake only where its doorbell is unmapped behind it")
  void leaving() {
    d1.attach(x);
    d1.attach(y);
    d1.attach(z);
    LiveFunction other = live(y, ITS1);
    LiveFunction victim = live(z, ITS1);
    refused("cannot attach group 3 to d2", () -> d2.attach(z));
    assertEquals(Optional.of(ITS1.doorbell().value()), victim.ring(0));
    other.release();
    d2.attach(z);
    assertEquals(Optional.of(ITS1.doorbell().value()), victim.ring(0));
    assertEquals(0, d1.msiWindow().orElseThrow().used());
    refused("cannot give [y] vectors", () -> live(y, ITS1));
  }

  @Test
  @DisplayName("R8: a live function does not bring its doorbell to the namesake of another one")
  void bringing() {
    Domain d3 = bench.userWithWindow("d3");
    d1.attach(x);
    d2.attach(z);
    d3.attach(y);
    LiveFunction victim = live(z, ITS1);
    live(y, ITS1);
    refused("cannot attach group 2 to d1", () -> d1.attach(y));
    assertEquals(new Placement.In(d3), y.placement());
    victim.release();
    d1.attach(y);
  }

  @Test
  @DisplayName("R14: a namesake is not plugged into a group whose domain maps the other's doorbell")
  void plugging() {
    IommuGroup slot = group(4, "w", 0x400);
    d1.attach(slot);
    d2.attach(z);
    LiveFunction other = live(slot, ITS1);
    LiveFunction victim = live(z, ITS1);
    refused("cannot add x to group 4", () -> slot.add(member(5, "x", SHARED)));
    assertEquals(1, slot.members().size());
    other.release();
    slot.add(member(5, "x", SHARED));
    refused("cannot give [w] vectors", () -> live(slot, ITS1));
    victim.release();
  }

  @Test
  @DisplayName(
      "R21: who is trusted may reach a namesake's doorbell; what it owns is protected all the same")
  void trusted() {
    Domain t = Domain.create("t", DomainPolicy.TRUSTED_USER, bench.smmu0, Granule.K4);
    t.reserveMsiWindow(Bench.WINDOW);
    t.attach(x);
    t.attach(y);
    live(y, ITS1);
    d2.attach(z);
    live(z, ITS1);
    IommuGroup w = group(6, "w", 0x600);
    d1.attach(w);
    live(w, ITS1);
    DeviceIdNotUnique e =
        assertThrows(DeviceIdNotUnique.class, () -> d1.attach(group(7, "namesake of y", 0x200)));
    assertEquals(List.of("namesake of y", "y", ITS1.name(), "d1", "t"), e.refusal().objects());
  }

  @Test
  @DisplayName("R23: where messages bypass the tables every doorbell of the region is in reach")
  void bypassing() {
    ReservedRegion msi =
        new ReservedRegion(
            AddressRange.ofSize(0x800_0000, 0x100_0000), ReservedRegion.Kind.MSI, Bench.TEST);
    Domain plain = bench.user("plain");
    IommuGroup near = group(4, "x", SHARED, msi);
    plain.attach(near);
    d2.attach(z);
    refused("cannot give [z] vectors", () -> live(z, ITS1));
    plain.detach(near);
    live(z, ITS1);
    refused("cannot attach group 4 to plain", () -> plain.attach(near));
  }

  @Test
  @DisplayName("R13: a direct region over a doorbell puts it in reach")
  void direct() {
    IommuGroup near =
        group(4, "x", SHARED, Bench.region(ReservedRegion.Kind.DIRECT, 0x80b_0000, 0x1000));
    Domain plain = bench.user("plain");
    plain.attach(near);
    d2.attach(z);
    refused("cannot give [z] vectors", () -> live(z, ITS1));
  }

  @Test
  @DisplayName("R13: so does one of another function in its domain, or one in the same granule")
  void directOfAnother() {
    Domain plain = bench.user("plain");
    plain.attach(x);
    plain.attach(group(4, "w", 0x400, Bench.region(ReservedRegion.Kind.DIRECT, 0x80b_0000, 0x10)));
    d2.attach(z);
    refused("cannot give [z] vectors", () -> live(z, ITS1));
    plain.detach(x);
    live(z, ITS1);
    refused("cannot attach group 1 to plain", () -> plain.attach(x));
  }

  @Test
  @DisplayName("R13: nor is a function attached whose direct region would put a namesake in reach")
  void directThatEnters() {
    Domain plain = bench.user("plain");
    plain.attach(x);
    d2.attach(z);
    live(z, ITS1);
    IommuGroup w =
        group(4, "w", 0x400, Bench.region(ReservedRegion.Kind.DIRECT, 0x80b_0000, 0x1000));
    refused("cannot attach group 4 to plain", () -> plain.attach(w));
    plain.detach(x);
    plain.attach(w);
  }

  @Test
  @DisplayName(
      "R26: the host's functions are protected, whether they pass an IOMMU or none is in their path")
  void host() {
    d1.attach(x);
    d1.attach(y);
    LiveFunction other = live(y, ITS1);
    z.bypass();
    refused("cannot give [z] vectors", () -> live(z, ITS1));
    Ringer none = new Ringer("z", ITS1, OptionalInt.of(SHARED), Bench.TEST);
    refused("cannot give [z] vectors", () -> bench.ringers.claimUntranslated(List.of(none)));
    other.release();
    List<DoorbellLease> leases = bench.ringers.claimUntranslated(List.of(none));
    refused("cannot give [y] vectors", () -> live(y, ITS1));
    leases.forEach(DoorbellLease::release);
    live(y, ITS1);
  }

  @Test
  @DisplayName("what a failed step entered is taken out again, at every hardware write")
  void failing() {
    d1.attach(x);
    d1.attach(z);
    LiveFunction victim = live(z, ITS1);
    for (int n = 1; n <= 3; n++) {
      bench.hw.failAt(n);
      assertThrows(RuntimeException.class, () -> d2.attach(z));
    }
    victim.release();
    d1.detach(z);
    d1.attach(y);
    live(y, ITS1);
    d2.attach(group(8, "other", 0x800));
    Domain d3 = bench.userWithWindow("d3");
    d3.attach(group(9, "more", 0x100));
    assertEquals(List.of(x, y), d1.groups());
  }

  @Test
  @DisplayName("R8: what has left a domain, or never came into it, is in nobody's reach there")
  void leftOrNeverThere() {
    d1.attach(x);
    d1.attach(y);
    LiveFunction other = live(y, ITS1);
    d2.attach(x);
    assertEquals(List.of(y), d1.groups());
    Domain d3 = bench.userWithWindow("d3");
    d3.attach(z);
    LiveFunction victim = live(z, ITS1);
    refused("cannot attach group 1 to d1", () -> d1.attach(x));
    victim.release();
    bench.hw.failAt(1);
    assertThrows(InjectedFault.class, () -> d1.attach(x));
    live(z, ITS1);
    other.release();
  }
}
