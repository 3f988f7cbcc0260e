package dev.doorbell.plan;

import static dev.doorbell.plan.Scene.FIRMWARE;
import static dev.doorbell.plan.Scene.ITS;
import static dev.doorbell.plan.Scene.NIC;
import static dev.doorbell.plan.Scene.PCI;
import static dev.doorbell.plan.Scene.V2M;
import static dev.doorbell.plan.Scene.its;
import static dev.doorbell.plan.Scene.machine;
import static dev.doorbell.plan.Scene.smmu;
import static dev.doorbell.plan.Scene.subject;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.MsiControllerDescription.GicV2m;
import dev.doorbell.description.MsiControllerDescription.Its;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan.Answer;
import dev.doorbell.plan.Subject.Mate;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// What a plan says of a window, guest RAM and vectors, on machines that differ in one fact at a time.
class PlannerTest {
  private static Plan plan(MachineDescription machine, PlanRequest request, Subject... subjects) {
    return new Planner(machine).plan(List.of(subjects), request);
  }

  private static PlanRequest window(long start, long last, Granule granule) {
    return new PlanRequest(
        List.of(),
        OptionalLong.empty(),
        Optional.of(new AddressRange(start, last)),
        Optional.of(granule),
        OptionalInt.empty(),
        false);
  }

  private static PlanRequest ram(long start, long last) {
    return new PlanRequest(
        List.of(new AddressRange(start, last)),
        OptionalLong.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalInt.empty(),
        false);
  }

  private static Conflict only(Plan plan, String kind) {
    List<Conflict> found = plan.conflicts().stream().filter(c -> c.kind().equals(kind)).toList();
    assertEquals(1, found.size(), () -> kind + " in " + plan.conflicts());
    return found.getFirst();
  }

  @Test
  @DisplayName("R3: the window holds the doorbell, and head room for every doorbell of the machine")
  void windowHasRoomForEveryDoorbell() {
    Plan plan =
        plan(
            machine(List.of(ITS, its(1, 0x8_0808_0000L)), List.of()),
            PlanRequest.DEFAULT,
            subject(NIC, List.of(ITS), 16, List.of()));
    WindowPlan w = plan.window().orElseThrow();
    assertEquals(new AddressRange(0x800_0000L, 0x80f_ffffL), w.range());
    assertEquals(0x1000, w.needed());
    assertEquals(0xff000, w.headroom());
    assertEquals(8, w.order());
    assertEquals(new AddressRange(0x809_0000L, 0x809_0fffL), w.doorbells().getFirst().page());
    assertEquals(Answer.YES, plan.verdict().answer(), plan.verdict()::toString);
  }

  @Test
  @DisplayName("R2: a window without a whole granule is refused with both figures")
  void tooSmallWindowNamesBothFigures() {
    Plan plan =
        plan(
            machine(List.of(ITS), List.of()),
            window(0x800_0000L, 0x800_0fffL, Granule.K64),
            subject(NIC, List.of(ITS), 16, List.of()));
    assertEquals(Answer.NO, plan.verdict().answer());
    String message = only(plan, "MsiWindowExhausted").message();
    assertTrue(message.contains("needs 65536 bytes") && message.contains("holds 0"), message);
  }

  @Test
  @DisplayName("R7: two functions behind two ITSes need two granules")
  void twoControllersNeedTwoGranules() {
    Its second = its(1, 0x8_0808_0000L);
    Plan plan =
        plan(
            machine(List.of(ITS, second), List.of()),
            window(0x800_0000L, 0x800_0fffL, Granule.K4),
            subject(NIC, List.of(ITS), 4, List.of()),
            subject(Sbdf.parse("0001:01:00.0"), List.of(second), 4, List.of()));
    assertEquals(0x2000, plan.window().orElseThrow().needed());
    Conflict c = only(plan, "MsiWindowExhausted");
    assertTrue(c.b().name().contains(ITS.id()) && c.b().name().contains(second.id()), c::toString);
  }

  @Test
  @DisplayName("R9: guest RAM that covers a window asked for is refused, naming both ranges")
  void ramMeetsWindow() {
    PlanRequest request =
        new PlanRequest(
            List.of(new AddressRange(0, 0xfff_ffffL)),
            OptionalLong.empty(),
            Optional.of(new AddressRange(0x800_0000L, 0x80f_ffffL)),
            Optional.empty(),
            OptionalInt.empty(),
            false);
    Plan plan =
        plan(machine(List.of(ITS), List.of()), request, subject(NIC, List.of(ITS), 4, List.of()));
    Conflict c = only(plan, "RamMeetsWindow");
    assertTrue(
        c.message().contains("[0x0, 0xfffffff]") && c.message().contains("[0x8000000, 0x80fffff]"),
        c::message);
  }

  @Test
  @DisplayName("R9: a window that the plan chooses moves out of the way of guest RAM")
  void windowMovesClearOfRam() {
    Plan plan =
        plan(
            machine(List.of(ITS), List.of()),
            ram(0, 0x9fff_ffffL),
            subject(NIC, List.of(ITS), 4, List.of()));
    WindowPlan window = plan.window().orElseThrow();
    assertEquals(0xa000_0000L, window.range().start());
    assertTrue(window.source().toString().contains("patches of 2025"), "not Linux's own base");
    assertTrue(plan.conflicts().stream().noneMatch(Conflict::blocks), plan.conflicts()::toString);
  }

  @Test
  @DisplayName("R10: a window inside a host bridge's window is refused")
  void windowMeetsPciWindow() {
    Plan plan =
        plan(
            machine(List.of(ITS), List.of()),
            window(0x1000_0000L, 0x100f_ffffL, Granule.K4),
            subject(NIC, List.of(ITS), 4, List.of()));
    assertEquals(Source.file("proc/iomem"), only(plan, "WindowMeetsPciWindow").b().source());
  }

  @Test
  @DisplayName("R13: a laid out map leaves a hole for a direct region")
  void directRegionLeavesHole() {
    AddressRange rmr = new AddressRange(0x8000_0000L, 0x8fff_ffffL);
    ReservedRegion r = new ReservedRegion(rmr, ReservedRegion.Kind.DIRECT, FIRMWARE);
    PlanRequest request =
        new PlanRequest(
            List.of(),
            OptionalLong.of(4L << 30),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            false);
    Plan plan =
        plan(
            machine(List.of(ITS), List.of()), request, subject(NIC, List.of(ITS), 4, List.of(), r));
    assertEquals(
        List.of(
            new AddressRange(0x4000_0000L, 0x7fff_ffffL),
            new AddressRange(0x9000_0000L, 0x1_4fff_ffffL)),
        plan.ram());
    assertEquals(Answer.YES, plan.verdict().answer(), plan.verdict()::toString);
  }

  @Test
  @DisplayName(
      "R11: a chosen window moves clear of a reserved region, one asked for is refused there")
  void windowMeetsReservedRegion() {
    AddressRange rmr = new AddressRange(0x80f_f000L, 0x81f_ffffL);
    Subject s =
        subject(
            NIC,
            List.of(ITS),
            4,
            List.of(),
            new ReservedRegion(rmr, ReservedRegion.Kind.DIRECT, FIRMWARE));
    MachineDescription machine = machine(List.of(ITS), List.of());
    Plan chosen = plan(machine, PlanRequest.DEFAULT, s);
    assertEquals(0xa000_0000L, chosen.window().orElseThrow().range().start());
    assertEquals(Answer.YES, chosen.verdict().answer(), chosen.verdict()::toString);
    Plan asked = plan(machine, window(0x800_0000L, 0x80f_ffffL, Granule.K4), s);
    assertEquals(rmr, only(asked, "WindowMeetsReservedRegion").b().range().orElseThrow());
    assertEquals(Answer.NO, asked.verdict().answer());
  }

  @Test
  @DisplayName("R10: a window that the plan chooses lies in no host bridge's window")
  void chosenWindowIsClearOfPciWindows() {
    Plan plan =
        plan(
            machine(List.of(ITS), List.of()),
            ram(0, 0xfff_ffffL),
            subject(NIC, List.of(ITS), 4, List.of()));
    assertFalse(plan.window().orElseThrow().range().overlaps(PCI));
  }

  @Test
  @DisplayName("R12: RAM past the aperture is refused, naming the aperture")
  void ramPastAperture() {
    Plan plan =
        plan(
            machine(List.of(ITS), List.of()),
            ram(0x4000_0000L, 0x1_0000_0000_0000L),
            subject(NIC, List.of(ITS), 4, List.of()));
    assertEquals("aperture of smmuv3@0x9050000", only(plan, "RamMeetsAperture").b().name());
  }

  @Test
  @DisplayName("a window outside the root complex's dma-ranges is refused")
  void windowOutsideDmaRanges() {
    AddressRange reach = new AddressRange(0x8000_0000L, 0xffff_ffffL);
    Plan plan =
        plan(
            machine(List.of(ITS), List.of(reach)),
            window(0x800_0000L, 0x80f_ffffL, Granule.K4),
            subject(NIC, List.of(ITS), 4, List.of()));
    assertTrue(only(plan, "OutsideDmaRanges").message().contains("[0x80000000, 0xffffffff]"));
  }

  @Test
  @DisplayName(
      "R21: a controller that does not look at who writes is refused, or a caution when allowed")
  void notIsolated() {
    Subject s = subject(NIC, List.of(V2M), 4, List.of());
    MachineDescription machine = machine(List.of(V2M), List.of());
    assertTrue(only(plan(machine, PlanRequest.DEFAULT, s), "NotIsolated").blocks());
    PlanRequest unsafe =
        new PlanRequest(
            List.of(),
            OptionalLong.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            true);
    assertFalse(only(plan(machine, unsafe, s), "NotIsolated").blocks());
  }

  @Test
  @DisplayName("R5: a granule larger than the frame is a caution that names what becomes reachable")
  void granuleExceedsFrame() {
    Plan plan =
        plan(
            machine(List.of(V2M), List.of()),
            window(0x800_0000L, 0x80f_ffffL, Granule.K64),
            subject(NIC, List.of(V2M), 4, List.of()));
    assertTrue(only(plan, "GranuleExceedsFrame").message().contains("[0x8020000, 0x802ffff]"));
  }

  @Test
  @DisplayName("vectors beyond the controller are counted function by function")
  void ledgerCountsWhatIsLeft() {
    Plan plan =
        plan(
            machine(List.of(V2M), List.of()),
            PlanRequest.DEFAULT,
            subject(NIC, List.of(V2M), 48, List.of()),
            subject(Sbdf.parse("0000:02:00.0"), List.of(V2M), 129, List.of()));
    assertEquals(List.of(48, 16), plan.ledger().stream().map(LedgerLine::granted).toList());
    assertTrue(
        only(plan, "VectorsExhausted")
            .message()
            .contains("can use 129 vectors and v2m@0x8020000 has 16 left"));
  }

  @Test
  @DisplayName(
      "of several frames the first that has enough is counted, else the one that has most, as vectors are taken")
  void ledgerTakesFromTheFrameThatFits() {
    List<MsiControllerDescription> frames = List.of(frame(0x802_1000L, 8), frame(0x802_2000L, 32));
    Plan plan =
        plan(
            machine(frames, List.of()),
            PlanRequest.DEFAULT,
            subject(NIC, frames, 16, List.of()),
            subject(Sbdf.parse("0000:02:00.0"), frames, 12, List.of()),
            subject(Sbdf.parse("0000:03:00.0"), frames, 8, List.of()),
            subject(Sbdf.parse("0000:04:00.0"), frames, 16, List.of()));
    assertEquals(List.of(16, 12, 8, 4), plan.ledger().stream().map(LedgerLine::granted).toList());
    assertTrue(
        only(plan, "VectorsExhausted")
            .message()
            .contains("can use 16 vectors and v2m@0x8022000 has 4 left"));
  }

  private static GicV2m frame(long base, int vectors) {
    return new GicV2m(
        "v2m@0x" + Long.toHexString(base),
        AddressRange.ofSize(base, 0x1000),
        OptionalInt.of(64),
        OptionalInt.of(vectors),
        Source.file("APIC"));
  }

  @Test
  @DisplayName(
      "a group mate with a driver in use blocks; a port, vfio-pci or another assigned function does not")
  void groupMates() {
    Mate busy =
        new Mate(
            Sbdf.parse("0000:01:00.1"),
            Optional.of("igb"),
            false,
            true,
            "01:00 is multifunction without ACS");
    Mate port = new Mate(Sbdf.parse("0000:00:01.0"), Optional.of("pcieport"), true, false, "port");
    Plan no =
        plan(
            machine(List.of(ITS), List.of()),
            PlanRequest.DEFAULT,
            subject(NIC, List.of(ITS), 4, List.of(busy, port)));
    assertTrue(only(no, "GroupNotViable").message().contains("multifunction without ACS"));
    Plan yes =
        plan(
            machine(List.of(ITS), List.of()),
            PlanRequest.DEFAULT,
            subject(NIC, List.of(ITS), 4, List.of(busy, port)),
            subject(busy.sbdf(), List.of(ITS), 4, List.of()));
    assertEquals(Answer.YES, yes.verdict().answer(), yes.verdict()::toString);
  }

  @Test
  @DisplayName(
      "a no is said in the words of the first conflict that stands against it, also when those change")
  void otherWords() {
    Mate busy = new Mate(Sbdf.parse("0000:01:00.1"), Optional.of("igb"), false, true, "no ACS");
    Plan plan =
        plan(
            machine(List.of(ITS), List.of()),
            PlanRequest.DEFAULT,
            subject(NIC, List.of(), 4, List.of(busy)));
    assertEquals(Answer.NO, plan.verdict().answer());
    List<Conflict> told =
        plan.conflicts().stream()
            .map(c ->
                new Conflict(
                    c.kind(), c.a(), c.b(), c.blocks(), "maybe: " + c.message(), c.advice()))
            .toList();
    assertTrue(told.size() > 1, told::toString);
    Plan again = plan.withConflicts(told);
    assertEquals("maybe: " + plan.verdict().because(), again.verdict().because());
    assertEquals(Answer.NO, again.verdict().answer());
  }

  @Test
  @DisplayName("a 32-bit MSI capability keeps the window below 4 GiB")
  void lowWindow() {
    Subject s =
        new Subject(
            NIC,
            Optional.of(smmu(48)),
            List.of(ITS),
            Optional.empty(),
            Optional.of(new Subject.Msi(8, false)),
            OptionalInt.empty(),
            true,
            List.of(),
            List.of(),
            List.of(),
            OptionalInt.empty(),
            List.of(),
            FIRMWARE);
    Plan plan =
        plan(
            machine(List.of(ITS), List.of()),
            window(0x1_0000_0000L, 0x1_000f_ffffL, Granule.K4),
            s);
    assertTrue(only(plan, "WindowAbove4GiB").blocks());
    Plan chosen = plan(machine(List.of(ITS), List.of()), PlanRequest.DEFAULT, s);
    assertTrue(chosen.window().orElseThrow().range().last() >>> 32 == 0);
  }
}
