package dev.doorbell.iommu;

import static dev.doorbell.iommu.Bench.ITS0;
import static dev.doorbell.iommu.Bench.ITS1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 4: a domain is switched while vectors are live")
class DomainSwitchTest {
  private static final AddressRange ELSEWHERE = AddressRange.ofSize(0xa000_0000L, 0x10_0000);
  private final Bench bench = new Bench();
  private final Domain from = bench.userWithWindow("from");
  private final Domain to = bench.userWithWindow("to");
  private final IommuGroup group = bench.group(1);

  private LiveFunction live(boolean maskable, DoorbellFrame... frames) {
    from.attach(group);
    return new LiveFunction(group, bench.hw, maskable, frames);
  }

  private Domain window(AddressRange range) {
    Domain d = bench.user("elsewhere");
    d.reserveMsiWindow(range);
    return d;
  }

  @Test
  void r08_theNewDomainMapsTheDoorbellWhereTheFunctionIsProgrammed() {
    LiveFunction f = live(false, ITS0, ITS1);
    List<Long> programmed = List.copyOf(f.programmed);
    to.attach(group);
    assertEquals(programmed, f.programmed);
    assertEquals(List.of(), f.calls, "neither masked nor programmed");
    assertEquals(Optional.of(0x809_0040L), f.ring(0));
    assertEquals(Optional.of(0x80b_0040L), f.ring(1));
    assertEquals(0, from.msiWindow().orElseThrow().used());
    assertEquals(2, to.msiWindow().orElseThrow().used());
    f.release();
    assertEquals(0, to.msiWindow().orElseThrow().used());
    assertEquals(Optional.empty(), f.ring(0));
  }

  @Test
  void r08_otherwiseTheFunctionIsHeldAcrossTheChange() {
    LiveFunction f = live(true, ITS0, ITS1);
    Domain elsewhere = window(ELSEWHERE);
    elsewhere.attach(group);
    assertEquals(List.of("hold", "program", "resume"), f.calls);
    assertEquals(List.of(0xa000_0040L, 0xa000_1040L), f.programmed);
    assertEquals(Optional.of(0x80b_0040L), f.ring(1));
    assertEquals(0, from.msiWindow().orElseThrow().used());
  }

  @Test
  void r08_aSlotThatHoldsAnotherDoorbellIsNotTaken() {
    LiveFunction f = live(true, ITS0);
    IommuGroup other = bench.group(2);
    to.attach(other);
    Bench.lease(other, ITS1);
    to.attach(group);
    assertEquals(List.of(0x800_1040L), f.programmed);
    assertEquals(Optional.of(0x809_0040L), f.ring(0));
  }

  @Test
  void r08_oneDoorbellMayLieAtTwoIovasForAWhile() {
    IommuGroup other = bench.group(2);
    to.attach(other);
    Bench.lease(other, ITS1);
    Bench.lease(other, ITS0);
    from.attach(bench.group(3));
    from.attach(group);
    Bench.lease(group, ITS1);
    LiveFunction f = new LiveFunction(group, bench.hw, false, ITS1, ITS0);
    assertEquals(List.of(0x800_0040L, 0x800_1040L), f.programmed);
    to.attach(group);
    assertEquals(2, to.msiWindow().orElseThrow().used());
    assertEquals(Optional.of(0x80b_0040L), f.ring(0));
  }

  @Test
  void aFunctionThatCannotMaskIsRefusedAndNothingChanges() {
    LiveFunction f = live(false, ITS0);
    Domain elsewhere = window(ELSEWHERE);
    var before = bench.state();
    long writes = bench.hw.count();
    VectorsLive e = assertThrows(VectorsLive.class, () -> elsewhere.attach(group));
    assertEquals(List.of(f.name()), e.refusal().objects());
    assertEquals(before, bench.state());
    assertEquals(writes, bench.hw.count());
    assertEquals(0, elsewhere.msiWindow().orElseThrow().used());
    assertEquals(List.of(), elsewhere.groups());
    assertEquals(Optional.of(0x809_0040L), f.ring(0));
  }

  @Test
  void aNewWindowThatIsTooSmallIsRefusedAndNothingChanges() {
    LiveFunction f = live(true, ITS0, ITS1);
    Domain small = window(AddressRange.ofSize(0xa000_0000L, 0x1000));
    long writes = bench.hw.count();
    assertThrows(MsiWindowExhausted.class, () -> small.attach(group));
    assertEquals(writes, bench.hw.count());
    assertEquals(0, small.msiWindow().orElseThrow().used());
    assertEquals(Optional.of(0x809_0040L), f.ring(0));
  }

  @Test
  void whereTheEntryCannotChangeHitlesslyTheFunctionIsHeldAnyway() {
    Bench slow = new Bench(false, true);
    Domain a = slow.userWithWindow("a");
    Domain b = slow.userWithWindow("b");
    IommuGroup g = slow.group(1);
    a.attach(g);
    LiveFunction f = new LiveFunction(g, slow.hw, true, ITS0);
    b.attach(g);
    assertEquals(List.of("hold", "resume"), f.calls);
    IommuGroup h = slow.group(2);
    a.attach(h);
    new LiveFunction(h, slow.hw, false, ITS0);
    assertThrows(VectorsLive.class, () -> b.attach(h));
  }

  @Test
  void r20_aGroupWithLiveVectorsIsNotDetached() {
    LiveFunction f = live(true, ITS0);
    VectorsLive e = assertThrows(VectorsLive.class, () -> from.detach(group));
    assertEquals(List.of(f.name()), e.refusal().objects());
    f.release();
    from.detach(group);
  }

  @Test
  void aDoorbellThatOthersStillRingStaysInTheOldDomain() {
    LiveFunction f = live(false, ITS0);
    IommuGroup other = bench.group(2);
    from.attach(other);
    LiveFunction stays = new LiveFunction(other, bench.hw, false, ITS0);
    to.attach(group);
    assertEquals(Optional.of(0x809_0040L), stays.ring(0));
    assertEquals(Optional.of(0x809_0040L), f.ring(0));
    assertEquals(1, from.msiWindow().orElseThrow().used());
    stays.release();
    assertEquals(Optional.empty(), stays.ring(0));
  }

  @Test
  void aGranuleOfAnotherSizeKeepsTheIovaWhereItCan() {
    LiveFunction f = live(false, ITS0);
    Domain big = Domain.create("big", DomainPolicy.USER, bench.smmu0, Granule.K64);
    big.reserveMsiWindow(Bench.WINDOW);
    big.attach(group);
    assertEquals(List.of(0x800_0040L), f.programmed);
    assertEquals(Optional.of(0x809_0040L), f.ring(0));
  }

  @Test
  void r23_whereMessagesBypassTheTablesAnUnmaskableFunctionMovesFreely() {
    Bench x86 = new Bench(false, false);
    Domain from = x86.user("from");
    Domain to = x86.user("to");
    IommuGroup g = x86.group(1);
    from.attach(g);
    LiveFunction f = new LiveFunction(g, x86.hw, false, Bench.ITS0);
    to.attach(g);
    assertEquals(List.of(), f.calls, "nothing is held back");
    assertEquals(List.of(g), to.groups());
    assertEquals(List.of(), from.groups());
    from.close();
    f.release();
  }
}
