package dev.doorbell.plan;

import static dev.doorbell.plan.Scene.ITS;
import static dev.doorbell.plan.Scene.NIC;
import static dev.doorbell.plan.Scene.machine;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.plan.Plan.Answer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Where a plan puts the window when the customary places cannot be had.
class WindowPlaceTest {
  private static final AddressRange SECOND_GIB = new AddressRange(0x4000_0000L, 0x7fff_ffffL);

  private static Plan plan(MachineDescription m, OptionalLong bytes, AddressRange... ram) {
    PlanRequest request =
        new PlanRequest(
            List.of(ram), bytes, Optional.empty(), Optional.empty(), OptionalInt.empty(), false);
    return new Planner(m).plan(List.of(Scene.subject(NIC, List.of(ITS), 8, List.of())), request);
  }

  @Test
  @DisplayName("R12: window and laid-out RAM lie inside the root complex's dma-ranges")
  void insideDmaRanges() {
    MachineDescription m = machine(List.of(ITS), List.of(SECOND_GIB));
    Plan plan = plan(m, OptionalLong.of(0x2000_0000L));
    assertEquals(Answer.YES, plan.verdict().answer(), plan.verdict()::because);
    WindowPlan w = plan.window().orElseThrow();
    assertTrue(SECOND_GIB.contains(w.range()), w::toString);
    assertTrue(w.why().contains("inside dma-ranges"), w.why());
    assertTrue(plan.ram().stream().allMatch(SECOND_GIB::contains), plan.ram()::toString);
  }

  @Test
  @DisplayName("a window may cross from one of dma-ranges into the next where they touch")
  void touchingRanges() {
    MachineDescription m =
        machine(
            List.of(ITS),
            List.of(
                new AddressRange(0x4008_0000L, 0x4fff_ffffL),
                new AddressRange(0x4000_0000L, 0x4007_ffffL)));
    Plan plan = plan(m, OptionalLong.empty());
    assertEquals(new AddressRange(0x4000_0000L, 0x400f_ffffL), plan.window().orElseThrow().range());
    assertEquals(List.of(), plan.conflicts());
  }

  @Test
  @DisplayName("where no MiB is free the window is smaller, down to what the doorbells need")
  void smallerThanUsual() {
    MachineDescription m =
        machine(List.of(ITS), List.of(new AddressRange(0x4000_0000L, 0x4fff_ffffL)));
    Plan plan = plan(m, OptionalLong.empty(), new AddressRange(0x4000_0000L, 0x4fff_efffL));
    WindowPlan w = plan.window().orElseThrow();
    assertEquals(new AddressRange(0x4fff_f000L, 0x4fff_ffffL), w.range());
    assertEquals(Answer.YES, plan.verdict().answer(), plan.verdict()::because);
    Plan full = plan(m, OptionalLong.empty(), new AddressRange(0x4000_0000L, 0x4fff_ffffL));
    assertEquals(Answer.NO, full.verdict().answer());
    assertTrue(full.window().orElseThrow().why().contains("no free place of 4096 bytes"));
  }

  @Test
  @DisplayName(
      "R9: RAM over the place where Linux has its window moves the plan's, and the plan says that Linux cannot follow")
  void ramOverLinuxWindow() {
    MachineDescription m = machine(List.of(ITS), List.of());
    AddressRange ram = new AddressRange(0, 0xfff_ffffL);
    Plan plan = plan(m, OptionalLong.empty(), ram);
    assertEquals(0xa000_0000L, plan.window().orElseThrow().range().start());
    Conflict c = plan.conflicts().getFirst();
    assertEquals("WindowFixedByKernel", c.kind());
    assertFalse(c.blocks());
    assertTrue(c.message().contains("[0x8000000, 0x80fffff]"), c.message());
    assertTrue(c.message().contains(ram.toString()), c.message());
    Plan above = plan(m, OptionalLong.empty(), new AddressRange(0x810_0000L, 0xfff_ffffL));
    assertEquals(List.of(), above.conflicts());
    assertEquals(0x800_0000L, above.window().orElseThrow().range().start());
  }

  @Test
  @DisplayName("a window of the whole 64-bit space has head room, not none")
  void wholeSpace() {
    PlanRequest all =
        new PlanRequest(
            List.of(),
            OptionalLong.empty(),
            Optional.of(AddressRange.ALL),
            Optional.empty(),
            OptionalInt.empty(),
            false);
    WindowPlan w =
        new Planner(machine(List.of(ITS), List.of()))
            .plan(List.of(Scene.subject(NIC, List.of(ITS), 8, List.of())), all)
            .window()
            .orElseThrow();
    assertEquals(Long.MAX_VALUE & -0x1000L, w.headroom());
    assertEquals(52, w.order());
  }

  @Test
  @DisplayName("the reason for a place names RAM only where RAM is known")
  void namesWhatWasSeen() {
    MachineDescription m = machine(List.of(ITS), List.of());
    assertFalse(plan(m, OptionalLong.empty()).window().orElseThrow().why().contains("RAM"));
    assertTrue(plan(m, OptionalLong.of(0x1000_0000L)).window().orElseThrow().why().contains("RAM"));
  }
}
