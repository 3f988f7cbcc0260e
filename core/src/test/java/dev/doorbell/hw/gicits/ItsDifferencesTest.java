package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IHI 0069 5.3: what the differential test with QEMU found in the ITS model")
class ItsDifferencesTest {
  private static final int DEVICE = 0x100;

  private static RawIts ready(int cpus) {
    RawIts raw = new RawIts(cpus, ItsConfig.QEMU).enableLpis().enableIts(false);
    for (int cpu = 0; cpu < cpus; cpu++) {
      raw.mapc(cpu, cpu);
    }
    return raw;
  }

  private static RawIts mapped(int cpus) {
    RawIts raw = ready(cpus);
    raw.mapd(DEVICE, 3, RawIts.ITT);
    raw.mapti(DEVICE, 4, 8206, 0);
    return raw;
  }

  @Test
  @DisplayName(
      "IHI 0069 5.3.13, 5.3.14: a target with LPIs disabled takes none, and they stay pending")
  void movesNowhere() {
    RawIts raw = mapped(2);
    raw.gicr(1).write32(0x0000, 0);
    raw.fire(DEVICE, 4);
    raw.put(0x0e, 0, 0, 1L << 16);
    raw.ring();
    assertTrue(raw.isPending(0, 8206), "after MOVALL");
    raw.onEvent(0x01, DEVICE, 4, 1);
    assertTrue(raw.isPending(0, 8206), "after MOVI");
  }

  @Test
  @DisplayName("IHI 0069 5.3.12 MAPTI: a collection may be one whose level-2 page is not there yet")
  void mapsToCollectionWithoutPage() {
    RawIts raw = ready(1);
    raw.regs.write32(0x0000, 0);
    raw.regs.write64(0x0108, 1L << 63 | 1L << 62 | RawIts.COLLECTIONS);
    raw.memory.write64(RawIts.COLLECTIONS, 0);
    raw.regs.write32(0x0000, 1);
    raw.mapd(DEVICE, 3, RawIts.ITT);
    raw.mapti(DEVICE, 4, 8206, 0);
    assertEquals(0, raw.its.commandErrors(), raw.its.lastCommandError());
    assertEquals(0x803b, raw.memory.read32(RawIts.ITT + 4 * 12));
  }

  @Test
  @DisplayName("format qemu, DISCARD: all three words of the entry are zero, as QEMU leaves them")
  void discardClearsTheEntry() {
    RawIts raw = mapped(1);
    raw.onEvent(0x0f, DEVICE, 4, 0);
    for (int word = 0; word < 3; word++) {
      assertEquals(0, raw.memory.read32(RawIts.ITT + 4 * 12 + 4 * word), "word " + word);
    }
  }
}
