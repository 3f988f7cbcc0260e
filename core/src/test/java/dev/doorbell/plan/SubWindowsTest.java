package dev.doorbell.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("R25: plans for the windows of a PAMU")
class SubWindowsTest {
  private static Plan plan(OptionalLong bytes, Optional<AddressRange> window) {
    Sbdf f = Sbdf.parse("0000:01:00.0");
    MachineDescription m =
        new WhatIf(f, 8, 0, true)
            .addTo(Firmware.read(Sysroot.open(Shared.require("captures/powerpc/dt-p4080ds"))));
    return plan(m, bytes, window);
  }

  private static Plan plan(
      MachineDescription m, OptionalLong bytes, Optional<AddressRange> window) {
    Sbdf f = Sbdf.parse("0000:01:00.0");
    PlanRequest request =
        new PlanRequest(List.of(), bytes, window, Optional.empty(), OptionalInt.empty(), true);
    return new Planner(m).plan(new Subjects(Survey.of(m)).of(f).stream().toList(), request);
  }

  @Test
  @DisplayName("a window is placed behind RAM, at a power of two, so that both fit")
  void behindRam() {
    for (long bytes : new long[] {0x1000_0000L, 0x2000_0000L, 0x3000_0000L, 0x8000_0000L}) {
      Plan p = plan(OptionalLong.of(bytes), Optional.empty());
      assertEquals(List.of(AddressRange.ofSize(0, bytes)), p.ram());
      assertTrue(p.conflicts().stream().noneMatch(c -> c.kind().equals("WindowsDoNotFit")));
      assertEquals(Long.highestOneBit(bytes * 2 - 1), p.window().orElseThrow().range().start());
    }
  }

  @Test
  @DisplayName(
      "RAM beyond the IOMMU's reach is refused for that, however large its windows would have to be")
  void beyondReach() {
    for (long bytes : new long[] {3L << 40, 1L << 60}) {
      Plan p = plan(OptionalLong.of(bytes), Optional.empty());
      assertTrue(
          p.conflicts().stream().anyMatch(c -> c.kind().equals("RamMeetsAperture") && c.blocks()),
          () -> "%d bytes".formatted(bytes));
    }
  }

  @Test
  @DisplayName("a window in the middle of RAM does not fit, and the plan says so")
  void inTheMiddle() {
    Plan p =
        plan(
            OptionalLong.of(0x2000_0000L),
            Optional.of(AddressRange.ofSize(0x800_0000L, 0x10_0000)));
    assertTrue(
        p.conflicts().stream().anyMatch(c -> c.kind().equals("WindowsDoNotFit") && c.blocks()));
  }

  @Test
  @DisplayName(
      "nor does one far behind RAM whose doorbell is not where one of the 256 windows starts")
  void besideTheStart() {
    for (long start : new long[] {0x8_0000_0000L, 0x8_0010_0000L}) {
      Plan p =
          plan(OptionalLong.of(0x1000_0000L), Optional.of(AddressRange.ofSize(start, 0x10_0000)));
      assertEquals(
          start == 0x8_0010_0000L,
          p.conflicts().stream().anyMatch(c -> c.kind().equals("WindowsDoNotFit") && c.blocks()),
          () -> "at 0x%x".formatted(start));
    }
  }

  @Test
  @DisplayName("head room counts places a sub-window apart, for every bank of the machine")
  void headroom() {
    Plan p = plan(OptionalLong.empty(), Optional.empty());
    WindowPlan w = p.window().orElseThrow();
    assertEquals(AddressRange.ofSize(0x800_0000L, 0x40_0000), w.range());
    assertEquals(0x1000, w.needed());
    assertEquals(3 * 0x1000, w.headroom());
    WindowPlan small =
        plan(OptionalLong.empty(), Optional.of(AddressRange.ofSize(0x800_0000L, 0x10_0000)))
            .window()
            .orElseThrow();
    assertEquals(0, small.headroom());
  }

  @Test
  @DisplayName("each doorbell has a page of its own in the window, one after another")
  void severalDoorbells() {
    Sbdf f = Sbdf.parse("0000:01:00.0");
    MachineDescription m =
        new WhatIf(f, 8, 0, true)
            .addTo(Firmware.read(Sysroot.open(Shared.require("captures/powerpc/dt-p4080ds"))));
    List<Subject> subjects = new Subjects(Survey.of(m)).of(f).stream().toList();
    WindowPlan one = plan(OptionalLong.of(0x1000_0000L), Optional.empty()).window().orElseThrow();
    WindowPlan.Doorbell near = one.doorbells().getFirst();
    // The next page of the controller's, if it had a second one.
    AddressRange next = AddressRange.ofSize(near.page().last() + 1, 0x1000);
    WindowPlan.Doorbell far = new WindowPlan.Doorbell(near.controller(), next, next);
    WindowPlan two =
        new WindowPlan(
            AddressRange.ofSize(0, 0x2000),
            one.granule(),
            List.of(far, near),
            0x2000,
            0,
            one.order(),
            one.why(),
            one.source());
    List<Conflict> conflicts = new ArrayList<>();
    SubWindows.check(subjects, Optional.of(two), List.of(), conflicts);
    assertEquals(List.of(), conflicts);
  }
}
