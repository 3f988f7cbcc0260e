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
