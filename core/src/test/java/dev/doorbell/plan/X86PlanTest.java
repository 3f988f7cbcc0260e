package dev.doorbell.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Plans on x86: no window, interrupts kept apart or not, the interrupt address range")
class X86PlanTest {
  private static final AddressRange INTERRUPTS = new AddressRange(0xfee0_0000L, 0xfeef_ffffL);
  private static final Sbdf EDU = Sbdf.parse("0000:00:05.0");

  private static MachineDescription machine(String name) {
    return Firmware.read(Sysroot.open(Shared.require(name)));
  }

  private static Plan plan(
      MachineDescription m, Sbdf function, List<AddressRange> ram, boolean unsafe) {
    PlanRequest request =
        new PlanRequest(
            ram,
            ram.isEmpty() ? OptionalLong.of(8L << 30) : OptionalLong.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            unsafe);
    List<Subject> subjects = new Subjects(Survey.of(m)).of(function).stream().toList();
    return new Planner(m).plan(subjects, request);
  }

  private static Optional<Conflict> conflict(Plan p, String kind) {
    return p.conflicts().stream().filter(c -> c.kind().equals(kind)).findFirst();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"x86-vtd-intremap", "x86-vtd-iommufd", "x86-vtd-scalable-fs", "x86-amdvi"})
  @DisplayName(
      "R23 R24: no window is needed, and guest RAM is laid out around the interrupt address range")
  void noWindow(String name) {
    Plan p = plan(machine("lab-captures/" + name), EDU, List.of(), false);
    assertEquals(Optional.empty(), p.window());
    assertEquals(Plan.Answer.YES, p.verdict().answer(), p.verdict()::toString);
    assertFalse(p.ram().isEmpty());
    assertTrue(p.ram().stream().noneMatch(INTERRUPTS::overlaps), p.ram()::toString);
    assertEquals(
        8L << 30, p.ram().stream().mapToLong(AddressRange::bytes).sum(), p.ram()::toString);
  }

  @Test
  @DisplayName(
      "a window that is asked for and not needed has to be in IOVA space, as an assignment reserves it")
  void unneededWindow() {
    MachineDescription m = machine("lab-captures/x86-vtd-intremap");
    List<Subject> subjects = new Subjects(Survey.of(m)).of(EDU).stream().toList();
    Conflict c =
        conflict(new Planner(m).plan(subjects, asking(INTERRUPTS)), "WindowMeetsReservedRegion")
            .orElseThrow();
    assertTrue(c.blocks());
    assertEquals(Optional.of(INTERRUPTS), c.b().range());
    AddressRange clear = new AddressRange(0x800_0000L, 0x80f_ffffL);
    assertEquals(List.of(), new Planner(m).plan(subjects, asking(clear)).conflicts());
  }

  private static PlanRequest asking(AddressRange window) {
    return new PlanRequest(
        List.of(),
        OptionalLong.empty(),
        Optional.of(window),
        Optional.empty(),
        OptionalInt.empty(),
        false);
  }

  @Test
  @DisplayName("R24: guest RAM in the interrupt address range is a conflict with both objects")
  void ramOverInterrupts() {
    Plan p =
        plan(
            machine("lab-captures/x86-vtd-intremap"),
            EDU,
            List.of(new AddressRange(0, 0xffff_ffffL)),
            false);
    Conflict c = conflict(p, "RamMeetsReservedRegion").orElseThrow();
    assertTrue(c.blocks());
    assertEquals(Optional.of(INTERRUPTS), c.b().range());
  }

  @Test
  @DisplayName(
      "R21: without remapping the plan is refused, and with consent it names whom the function could harm")
  void notIsolated() {
    MachineDescription m = machine("lab-captures/x86-vtd-nointremap");
    Plan refused = plan(m, EDU, List.of(), false);
    assertEquals(Plan.Answer.NO, refused.verdict().answer());
    Conflict c = conflict(refused, "NotIsolated").orElseThrow();
    assertTrue(c.blocks());
    assertTrue(c.message().contains("any vector of any CPU"), c.message());
    assertTrue(c.message().contains("0000:02:00.0 (vfio-pci, "), c.message());
    assertTrue(c.b().source().toString().startsWith("proc/interrupts+0x"), c.b()::toString);
    Plan allowed = plan(m, EDU, List.of(), true);
    assertEquals(Plan.Answer.YES, allowed.verdict().answer(), allowed.verdict()::toString);
    assertFalse(conflict(allowed, "NotIsolated").orElseThrow().blocks());
  }

  @Test
  @DisplayName(
      "an AMD IOMMU remaps 512 messages of a function, so that no more are granted: both figures are named")
  void entriesOfAFunction() {
    Sbdf at = Sbdf.parse("0000:7f:1f.0");
    MachineDescription m =
        new WhatIf(at, 2048, 0, true).addTo(machine("captures/x86/amd-x399-prime"));
    Plan p = plan(m, at, List.of(), true);
    LedgerLine line = p.ledger().getFirst();
    assertEquals(List.of(2048, 512), List.of(line.advertised(), line.granted()), line.limit());
    Conflict c = conflict(p, "VectorsExhausted").orElseThrow();
    assertFalse(c.blocks());
    assertTrue(c.message().contains("2048") && c.message().contains("512"), c.message());
  }

  @Test
  @DisplayName("remapping that nothing tells of makes the verdict conditional")
  void unseen() {
    MachineDescription m =
        new WhatIf(Sbdf.parse("0000:7f:1f.0"), 4, 0, true)
            .addTo(machine("captures/x86/supermicro-x10dai"));
    Plan p = plan(m, Sbdf.parse("0000:7f:1f.0"), List.of(), false);
    assertEquals(Plan.Answer.CONDITIONAL, p.verdict().answer(), p.verdict()::toString);
    assertTrue(
        p.unseen().stream().anyMatch(u -> u.what().contains("remaps interrupts")),
        p.unseen()::toString);
  }

  @Test
  @DisplayName("R18: without remapping a function with MSI of several messages is granted one")
  void multiMessage() {
    Sbdf at = Sbdf.parse("0000:01:01.0");
    MachineDescription m =
        new WhatIf(at, 0, 8, true).addTo(machine("lab-captures/x86-vtd-nointremap"));
    LedgerLine alone = plan(m, at, List.of(), true).ledger().getFirst();
    assertEquals(List.of(8, 1), List.of(alone.advertised(), alone.granted()), alone.limit());
    assertTrue(alone.limit().contains("aligned to its size"), alone.limit());
    MachineDescription on =
        new WhatIf(at, 0, 8, true).addTo(machine("lab-captures/x86-vtd-iommufd"));
    assertEquals(8, plan(on, at, List.of(), false).ledger().getFirst().granted());
    MachineDescription unseen =
        new WhatIf(at, 0, 8, true).addTo(machine("captures/x86/supermicro-x10dai"));
    LedgerLine either = plan(unseen, at, List.of(), false).ledger().getFirst();
    assertEquals(8, either.granted());
    assertTrue(either.limit().contains("not seen, Linux would grant 1"), either.limit());
  }

  @Test
  @DisplayName("224 vectors a CPU: more are a conflict, and both figures are shown")
  void ledger() {
    Sbdf at = Sbdf.parse("0000:01:01.0");
    MachineDescription m =
        new WhatIf(at, 300, 0, true).addTo(machine("lab-captures/x86-vtd-intremap"));
    Plan p = plan(m, at, List.of(), false);
    assertEquals(224, p.ledger().getFirst().granted());
    assertTrue(p.ledger().getFirst().limit().contains("hands out 202"), p.ledger()::toString);
    assertTrue(
        conflict(p, "VectorsExhausted").orElseThrow().message().contains("300"), p::toString);
  }

  @Test
  @DisplayName(
      "R13: a function whose RMRR must stay mapped cannot be given away; a display adapter's may be given up")
  void direct() {
    MachineDescription m = machine("captures/x86/dell-latitude-e6430");
    Sbdf usb = Sbdf.parse("0000:00:1d.0");
    assertEquals(Optional.empty(), conflict(plan(m, usb, List.of(), false), "DirectRegionBinds"));
    MachineDescription server = machine("captures/x86/huananzhi-x99-bd4");
    long bound =
        server.functions().stream()
            .filter(f ->
                conflict(plan(server, f.sbdf(), List.of(), false), "DirectRegionBinds").isPresent())
            .count();
    assertEquals(
        server.reserved().stream()
            .filter(r -> r.region().kind() == dev.doorbell.iommu.ReservedRegion.Kind.DIRECT)
            .flatMap(r -> r.functions().stream())
            .filter(s -> server.function(s).isPresent())
            .distinct()
            .count(),
        bound);
  }
}
