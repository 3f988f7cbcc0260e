package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IHI 0069 12.19: when the model's command queue goes on")
class ItsStallTest {
  private static final int DEVICE = 0x100;
  private static final int EVENT = 4;
  private static final int LPI = 8206;
  private static final int INT = 0x03;
  private static final int CLEAR = 0x04;
  private static final int CTLR = 0x0000;
  private static final int CBASER = 0x0080;
  private static final int CWRITER = 0x0088;
  private static final int COMMAND_BYTES = 32;

  private final RawIts raw = new RawIts(1, ItsConfig.QEMU).enableLpis().enableIts(false);

  @BeforeEach
  void map() {
    raw.mapc(0, 0);
    raw.mapd(DEVICE, 3, RawIts.ITT);
    raw.mapti(DEVICE, EVENT, LPI, 0);
  }

  private void put(int code) {
    raw.put(code | (long) DEVICE << 32, EVENT, 0, 0);
  }

  @Test
  @DisplayName(
      "GITS_CREADR.Stalled: what stalled it may be mended and more be added, nothing runs before Retry, and all of it does then")
  void onlyRetryGoesOn() {
    raw.mapd(DEVICE, 3, 0x9000_0000L);
    long slot = RawIts.QUEUE + raw.creadr();
    raw.mapti(DEVICE, EVENT, LPI, 0);
    long stalled = raw.creadr();
    assertEquals(1, stalled & 1, "its ITT lies outside memory");
    assertTrue(raw.its.lastCommandError().startsWith("stalled at"), raw.its::lastCommandError);
    // MAPD with the ITT that is there takes the place of the command.
    raw.memory.write64(slot, 0x08 | (long) DEVICE << 32);
    raw.memory.write64(slot + 8, 3);
    raw.memory.write64(slot + 16, 1L << 63 | RawIts.ITT);
    put(INT);
    raw.ring();
    assertEquals(stalled, raw.creadr(), "a new tail alone changes nothing");
    raw.regs.write32(CTLR, 0);
    raw.regs.write32(CTLR, 1);
    assertEquals(stalled, raw.creadr(), "nor does turning it off and on");
    assertFalse(raw.isPending(0, LPI));
    raw.regs.write64(CWRITER, raw.regs.read64(CWRITER) | 1);
    assertEquals(raw.regs.read64(CWRITER), raw.creadr());
    assertTrue(raw.isPending(0, LPI), "the event was mapped before, in the table that is back");
  }

  @Test
  @DisplayName("GITS_CTLR.Enabled: commands wait until it is set")
  void disabled() {
    raw.regs.write32(CTLR, 0);
    long before = raw.creadr();
    put(INT);
    raw.ring();
    assertEquals(before, raw.creadr());
    assertFalse(raw.isPending(0, LPI));
    raw.regs.write32(CTLR, 1);
    assertEquals(before + COMMAND_BYTES, raw.creadr());
    assertTrue(raw.isPending(0, LPI));
  }

  @Test
  @DisplayName("GITS_CWRITER beyond the queue: nothing is read until it lies in it again")
  void tailBeyondTheQueue() {
    long before = raw.creadr();
    put(INT);
    put(CLEAR);
    raw.regs.write64(CWRITER, RawIts.QUEUE_BYTES);
    assertEquals(before, raw.creadr());
    assertFalse(raw.isPending(0, LPI));
    raw.regs.write64(CWRITER, before + COMMAND_BYTES);
    assertEquals(before + COMMAND_BYTES, raw.creadr());
    assertTrue(raw.isPending(0, LPI));
  }

  @Test
  @DisplayName("GITS_CBASER.Valid: without it there is no queue to read")
  void noQueue() {
    raw.regs.write32(CTLR, 0);
    raw.regs.write64(CBASER, 15 | RawIts.QUEUE);
    assertEquals(0, raw.creadr());
    raw.regs.write64(CWRITER, COMMAND_BYTES);
    raw.regs.write32(CTLR, 1);
    assertEquals(0, raw.creadr());
    raw.regs.write32(CTLR, 0);
    raw.regs.write64(CBASER, 1L << 63 | 15 | RawIts.QUEUE);
    raw.regs.write32(CTLR, 1);
    assertEquals(COMMAND_BYTES, raw.creadr());
  }
}
