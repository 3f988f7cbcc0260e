package dev.doorbell.hw.lapic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.irq.X86Interrupt;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class LapicWalkerTest {
  private final LapicWalker walker = new LapicWalker("lapic", List.of(0L, 2L, 0x13L));

  private OptionalInt cpu(long destination, boolean logical, boolean wide) {
    LapicWalker.Arrival a = walker.arrive(new X86Interrupt(65, destination, logical, 0, wide));
    assertEquals(Optional.empty(), a.stoppedAt());
    return a.cpu();
  }

  @Test
  @DisplayName(
      "SDM 11.6.2: physical destinations by APIC id; 11.12.10.2: logical x2APIC ids by cluster and bit")
  void destinations() {
    assertEquals(OptionalInt.of(1), cpu(2, false, false));
    assertEquals(OptionalInt.of(2), cpu(0x1_0008L, true, true));
    assertEquals(OptionalInt.empty(), cpu(5, true, true), "two processors may take it");
    assertEquals(OptionalInt.empty(), cpu(1, true, false), "the system's own logical ids");
    assertEquals(OptionalInt.empty(), cpu(0xff, false, false), "all processors");
  }

  private LapicWalker.Arrival arrival(
      LapicWalker of, long destination, boolean logical, boolean wide) {
    return of.arrive(new X86Interrupt(65, destination, logical, 0, wide));
  }

  @Test
  @DisplayName(
      "each arrival without one processor says why; a logical x2APIC id of nobody is taken by nobody")
  void reasons() {
    assertEquals(
        "broadcast: every processor takes it", arrival(walker, 0xff, false, false).hop().why());
    assertEquals(
        "broadcast: every processor takes it",
        arrival(walker, 0xffff_ffffL, true, true).hop().why());
    assertEquals(
        "the destination names several processors: CPUs 0, 1",
        arrival(walker, 5, true, true).hop().why());
    assertEquals(
        "logical ids of 8 bits are the system's choice and not in the capture",
        arrival(walker, 1, true, false).hop().why());
    LapicWalker blind = new LapicWalker("lapic", List.of());
    assertEquals(
        "the processors are not in the capture", arrival(blind, 1, false, false).hop().why());
    LapicWalker.Arrival nobody = arrival(walker, 0x2_0001L, true, true);
    assertEquals(
        Optional.of("firmware has no processor in logical destination 0x20001"),
        nobody.stoppedAt());
  }

  @Test
  @DisplayName("SDM 11.5.2: vectors below 16 are dropped; nobody has the id; NMI raises no vector")
  void refused() {
    assertTrue(
        walker
            .arrive(new X86Interrupt(15, 0, false, 0, false))
            .stoppedAt()
            .orElse("")
            .contains("below 16"));
    assertTrue(
        walker
            .arrive(new X86Interrupt(65, 7, false, 0, false))
            .stoppedAt()
            .orElse("")
            .contains("APIC id 0x7"));
    assertTrue(
        walker
            .arrive(new X86Interrupt(65, 0, false, 4, false))
            .stoppedAt()
            .orElse("")
            .contains("delivery mode 4"));
  }
}
