package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.SystemBus;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The model by plain register and memory numbers.
class ItsModelTest {
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
  @DisplayName("IHI 0069 12.19.10 GITS_TYPER: the default reads as QEMU's does")
  void typer() {
    assertEquals(0x1f_0001_efb1L, ready(1).regs.read64(0x0008));
  }

  @Test
  @DisplayName(
      "IHI 0069 12.19.1 GITS_BASER: type and entry size are fixed, the rest is what was written")
  void baser() {
    RawIts raw = new RawIts(1, ItsConfig.QEMU);
    assertEquals(0x0107_0000_0000_0000L, raw.regs.read64(0x0100));
    assertEquals(0x0407_0000_0000_0000L, raw.regs.read64(0x0108));
    raw.regs.write64(0x0100, 0xf907_0000_429c_0600L);
    assertEquals(0xf907_0000_429c_0600L, raw.regs.read64(0x0100));
    raw.regs.write64(0x0110, -1L);
    assertEquals(0, raw.regs.read64(0x0110), "GITS_BASER2 asks for no table and is RES0");
  }

  @Test
  @DisplayName("IHI 0069 5.2: the tables in memory are bit for bit those of the format qemu")
  void tables() {
    RawIts raw = mapped(1);
    assertAll(
        () ->
            assertEquals(
                0x1 | 3 << 1 | (RawIts.ITT >> 8) << 6,
                raw.memory.read64(RawIts.DEVICES + DEVICE * 8L)),
        () -> assertEquals(0x1, raw.memory.read64(RawIts.COLLECTIONS)),
        () ->
            assertEquals(
                0x803b, raw.memory.read32(RawIts.ITT + 4 * 12), "as in a lab capture: LPI 8206"),
        () -> assertEquals(0, raw.memory.read32(RawIts.ITT + 4 * 12 + 4)),
        () -> assertEquals(0x3ff, raw.memory.read32(RawIts.ITT + 4 * 12 + 8)));
  }

  @Test
  @DisplayName(
      "IHI 0069 5.2: a message is looked up by DeviceID and EventID and becomes pending in memory at once")
  void message() {
    RawIts raw = mapped(1);
    assertEquals(BusOutcome.OK, raw.fire(DEVICE, 4));
    assertTrue(raw.isPending(0, 8206));
    assertEquals(0, raw.its.dropped());
  }

  @ParameterizedTest(name = "DeviceID {0}, EventID {1}: {2}")
  @CsvSource({
    "0x101, 4, another device of the same event",
    "0x100, 5, an event that is not mapped",
    "0x100, 16, an event outside the table",
    "0x10000, 4, a DeviceID outside the device table",
    "-1, 4, a CPU has no DeviceID"
  })
  @DisplayName("IHI 0069 5.2: what the tables do not know is dropped silently")
  void forged(String device, int event, String why) {
    RawIts raw = mapped(1);
    assertEquals(BusOutcome.OK, raw.fire(Integer.decode(device), event), why);
    assertEquals(1, raw.its.dropped(), why);
    for (int intid = 0; intid < 65536; intid += 64) {
      assertEquals(0, raw.memory.read64(RawIts.PENDING + intid / 8), why);
    }
  }

  @Test
  @DisplayName(
      "IHI 0069 12.20.1 GITS_TRANSLATER: 16-bit writes are taken, bytes and other places are not")
  void translaterSizes() {
    RawIts raw = mapped(1);
    assertEquals(BusOutcome.OK, raw.its.write(0x1_0040, 0xffff_0004L, 2, DEVICE));
    assertTrue(raw.isPending(0, 8206));
    assertEquals(BusOutcome.ERROR, raw.its.write(0x1_0040, 4, 1, DEVICE));
    assertEquals(BusOutcome.ERROR, raw.its.write(0x1_0040, 4, 8, DEVICE));
    assertEquals(BusOutcome.ERROR, raw.its.write(0x1_0042, 4, 4, DEVICE), "misaligned");
    assertEquals(BusOutcome.OK, raw.its.write(0x1_0048, 4, 4, DEVICE), "reserved: ignored");
  }

  @Test
  @DisplayName(
      "IHI 0069 12.19.5 GITS_CTLR.Enabled = 0: messages are dropped and tables may be replaced; 1: table writes are ignored")
  void disabled() {
    RawIts raw = mapped(1);
    long baser = raw.regs.read64(0x0100);
    raw.regs.write64(0x0100, 0);
    assertEquals(baser, raw.regs.read64(0x0100));
    assertEquals(0, raw.regs.read32(0x0000) >>> 31, "not quiescent");
    raw.regs.write32(0x0000, 0);
    assertEquals(1, raw.regs.read32(0x0000) >>> 31, "quiescent");
    raw.fire(DEVICE, 4);
    assertFalse(raw.isPending(0, 8206));
    assertEquals(1, raw.its.dropped());
  }

  @Test
  @DisplayName("IHI 0069 5.3.9 MAPD V=0: the device's messages are dropped")
  void unmapDevice() {
    RawIts raw = mapped(1);
    raw.command(0x08 | (long) DEVICE << 32, 0, 0);
    raw.fire(DEVICE, 4);
    assertFalse(raw.isPending(0, 8206));
    assertEquals(0, raw.its.commandErrors());
  }

  @Test
  @DisplayName(
      "IHI 0069 5.3.8 MAPC V=0: events of that collection are dropped, and arrive again once it is mapped, elsewhere too")
  void unmapCollection() {
    RawIts raw = mapped(2);
    raw.command(0x09, 0, 0);
    raw.fire(DEVICE, 4);
    assertFalse(raw.isPending(0, 8206));
    assertEquals(1, raw.its.dropped());
    raw.command(0x09, 0, 1L << 63 | 1L << 16);
    raw.fire(DEVICE, 4);
    assertTrue(raw.isPending(1, 8206));
    assertEquals(0, raw.its.commandErrors());
  }

  @Test
  @DisplayName("IHI 0069 5.3.10 MAPI: the INTID is the EventID")
  void mapi() {
    RawIts raw = ready(1);
    raw.mapd(DEVICE, 13, RawIts.ITT);
    raw.onEvent(0x0b, DEVICE, 8200, 0);
    raw.fire(DEVICE, 8200);
    assertTrue(raw.isPending(0, 8200));
  }

  @Test
  @DisplayName(
      "IHI 0069 5.3.14 MOVI: a pending interrupt moves along, later ones arrive at the new target")
  void movi() {
    RawIts raw = mapped(2);
    raw.fire(DEVICE, 4);
    raw.onEvent(0x01, DEVICE, 4, 1);
    assertFalse(raw.isPending(0, 8206));
    assertTrue(raw.isPending(1, 8206));
    assertEquals(1, raw.memory.read32(RawIts.ITT + 4 * 12 + 4), "ICID");
    assertEquals(0, raw.its.commandErrors());
  }

  @Test
  @DisplayName("IHI 0069 5.3.13 MOVALL: all pending interrupts of one target move")
  void movall() {
    RawIts raw = mapped(2);
    raw.mapti(DEVICE, 7, 9000, 0);
    raw.fire(DEVICE, 4);
    raw.fire(DEVICE, 7);
    raw.put(0x0e, 0, 0, 1L << 16);
    raw.ring();
    assertAll(
        () -> assertFalse(raw.isPending(0, 8206)),
        () -> assertFalse(raw.isPending(0, 9000)),
        () -> assertTrue(raw.isPending(1, 8206)),
        () -> assertTrue(raw.isPending(1, 9000)));
  }

  @Test
  @DisplayName("IHI 0069 5.3.4 DISCARD: the mapping and the pending state go")
  void discard() {
    RawIts raw = mapped(1);
    raw.fire(DEVICE, 4);
    raw.onEvent(0x0f, DEVICE, 4, 0);
    assertFalse(raw.isPending(0, 8206));
    raw.fire(DEVICE, 4);
    assertFalse(raw.isPending(0, 8206));
    assertEquals(1, raw.its.dropped());
  }

  @Test
  @DisplayName("IHI 0069 5.3.3 CLEAR and 5.3.5 INT: forget and raise by command")
  void clearAndInt() {
    RawIts raw = mapped(1);
    raw.onEvent(0x03, DEVICE, 4, 0);
    assertTrue(raw.isPending(0, 8206));
    raw.onEvent(0x04, DEVICE, 4, 0);
    assertFalse(raw.isPending(0, 8206));
  }

  @Test
  @DisplayName("IHI 0069 5.1.1 and 5.3.6 INV: a configuration change without INV is not seen")
  void missingInvShows() {
    RawIts raw = mapped(1);
    raw.configure(8206, 0xa3);
    raw.fire(DEVICE, 4);
    assertEquals(
        CpuInterface.NONE, raw.gic.acknowledge(0), "cached as disabled when LPIs were enabled");
    raw.onEvent(0x0c, DEVICE, 4, 0);
    assertEquals(8206, raw.gic.acknowledge(0));
    assertFalse(raw.isPending(0, 8206), "acknowledged");
    raw.gic.endOfInterrupt(0, 8206);
    raw.configure(8206, 0xa2);
    raw.fire(DEVICE, 4);
    assertEquals(8206, raw.gic.acknowledge(0), "still cached as enabled");
  }

  @Test
  @DisplayName("IHI 0069 5.3.7 INVALL: the whole configuration of a target is read again")
  void invall() {
    RawIts raw = mapped(2);
    raw.configure(8206, 0xa3);
    raw.fire(DEVICE, 4);
    raw.command(0x0d, 0, 1);
    assertEquals(CpuInterface.NONE, raw.gic.acknowledge(0), "another target's INVALL");
    raw.command(0x0d, 0, 0);
    assertEquals(8206, raw.gic.acknowledge(0));
  }

  @Test
  @DisplayName("IHI 0069 5.3.14 MOVI: the configuration goes along, no INV needed")
  void moviKeepsConfiguration() {
    RawIts raw = mapped(2);
    raw.configure(8206, 0xa3);
    raw.onEvent(0x0c, DEVICE, 4, 0);
    raw.onEvent(0x01, DEVICE, 4, 1);
    raw.fire(DEVICE, 4);
    assertEquals(8206, raw.gic.acknowledge(1));
  }

  @Test
  @DisplayName(
      "IHI 0069 5.2.1: a two-level device table; without a level-2 page MAPD is an error and messages are dropped")
  void indirect() {
    RawIts raw = new RawIts(1, ItsConfig.QEMU).enableLpis().enableIts(true);
    raw.mapc(0, 0);
    raw.mapd(0x2003, 0, RawIts.ITT);
    assertEquals(1, raw.its.commandErrors());
    raw.memory.write64(RawIts.DEVICES + 8, 1L << 63 | RawIts.LEVEL2);
    raw.mapd(0x2003, 0, RawIts.ITT);
    raw.mapti(0x2003, 1, 8192, 0);
    assertEquals(1 | (RawIts.ITT >> 8) << 6, raw.memory.read64(RawIts.LEVEL2 + 3 * 8));
    raw.fire(0x2003, 1);
    assertTrue(raw.isPending(0, 8192));
    raw.fire(0x0003, 1);
    assertEquals(1, raw.its.dropped());
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "INV of an unmapped event", "MAPTI below the LPIs", "MAPTI beyond the LPIs",
            "MAPTI of an unmapped device",
        "MAPTI outside the table", "MOVI to an unmapped collection", "MAPC to no processor",
            "SYNC of no processor",
        "MAPD of too many event bits", "unknown command"
      })
  @DisplayName(
      "IHI 0069 5.3.2: a command that is an error is skipped, counted and changes nothing; the next one runs")
  void commandErrors(String which) {
    RawIts raw = mapped(1);
    switch (which) {
      case "INV of an unmapped event" -> raw.put(0x0c | (long) DEVICE << 32, 5, 0, 0);
      case "MAPTI below the LPIs" -> raw.put(0x0a | (long) DEVICE << 32, 8191L << 32 | 5, 0, 0);
      case "MAPTI beyond the LPIs" -> raw.put(0x0a | (long) DEVICE << 32, 65536L << 32 | 5, 0, 0);
      case "MAPTI of an unmapped device" -> raw.put(0x0a | 7L << 32, 8192L << 32 | 5, 0, 0);
      case "MAPTI outside the table" -> raw.put(0x0a | (long) DEVICE << 32, 8192L << 32 | 16, 0, 0);
      case "MOVI to an unmapped collection" -> raw.put(0x01 | (long) DEVICE << 32, 4, 9, 0);
      case "MAPC to no processor" -> raw.put(0x09, 0, 1L << 63 | 1L << 16 | 3, 0);
      case "SYNC of no processor" -> raw.put(0x05, 0, 1L << 16, 0);
      case "MAPD of too many event bits" -> raw.put(0x08 | 5L << 32, 16, 1L << 63 | RawIts.ITT, 0);
      default -> raw.put(0x29, 0, 0, 0);
    }
    raw.put(0x03 | (long) DEVICE << 32, 4, 0, 0);
    raw.ring();
    assertEquals(1, raw.its.commandErrors(), raw.its::lastCommandError);
    assertTrue(raw.isPending(0, 8206), "the INT after it ran");
  }

  @Test
  @DisplayName("IHI 0069 5.3.1: the queue wraps")
  void wrap() {
    RawIts raw = mapped(1);
    for (int i = 0; i < 3 * RawIts.QUEUE_BYTES / 32 + 5; i++) {
      raw.onEvent(i % 2 == 0 ? 0x03 : 0x04, DEVICE, 4, 0);
      assertEquals(i % 2 == 0, raw.isPending(0, 8206));
    }
    assertEquals(0, raw.its.commandErrors());
  }

  @Test
  @DisplayName(
      "IHI 0069 12.19.3 GITS_CREADR.Stalled: a command that cannot be read stalls the queue until Retry")
  void stall() {
    RawIts raw = new RawIts(1, ItsConfig.QEMU).enableLpis();
    long outside = 0x9000_0000L;
    raw.regs.write64(0x0100, 1L << 63 | 2 << 8 | 7 | RawIts.DEVICES);
    raw.regs.write64(0x0080, 1L << 63 | outside);
    raw.regs.write32(0x0000, 1);
    raw.regs.write64(0x0088, 0x40);
    assertEquals(1, raw.creadr(), "stalled at the first command");
    raw.regs.write64(0x0088, 0x60);
    assertEquals(1, raw.creadr(), "a new tail alone changes nothing");
    raw.regs.write64(0x0088, 0x61);
    assertEquals(1, raw.creadr(), "retried and stalled again");
    assertEquals(0x60, raw.regs.read64(0x0088), "Retry is not kept");
  }

  @Test
  @DisplayName(
      "IHI 0069 12.19.3: a table outside memory stalls the command; after Retry with a table that is there it runs")
  void stallOnTable() {
    RawIts raw = ready(1);
    raw.mapd(DEVICE, 3, 0x9000_0000L);
    assertEquals(0, raw.creadr() & 1, "MAPD does not touch the ITT");
    raw.mapti(DEVICE, 4, 8206, 0);
    assertEquals(1, raw.creadr() & 1);
    long slot = RawIts.QUEUE + (raw.creadr() & ~1L);
    raw.memory.write64(slot, 0x05);
    raw.memory.write64(slot + 16, 0);
    raw.regs.write64(0x0088, raw.regs.read64(0x0088) | 1);
    assertEquals(raw.regs.read64(0x0088), raw.creadr());
    raw.fire(DEVICE, 4);
    assertEquals(1, raw.its.dropped(), "a message whose ITT lies outside memory is dropped");
  }

  @Test
  @DisplayName("IHI 0069 12.19.10 GITS_TYPER.PTA = 1: commands name redistributors by address")
  void byAddress() {
    RawIts raw =
        new RawIts(2, new ItsConfig(16, 16, true, true, 0b111, 0)).enableLpis().enableIts(false);
    raw.command(0x09, 0, 1L << 63 | RawIts.GICR + 0x2_0000 | 0);
    raw.command(0x05, 0, RawIts.GICR + 0x2_0000);
    raw.mapd(DEVICE, 0, RawIts.ITT);
    raw.mapti(DEVICE, 0, 8192, 0);
    raw.fire(DEVICE, 0);
    assertTrue(raw.isPending(1, 8192));
    raw.command(0x05, 0, RawIts.GICR + 0x1_0000);
    assertEquals(1, raw.its.commandErrors(), "an SGI frame is no redistributor");
  }

  @Test
  @DisplayName("IHI 0069 12.19.10 GITS_TYPER.HCC: collections that need no memory")
  void ownCollections() {
    RawIts raw = new RawIts(2, new ItsConfig(16, 16, false, false, 0b001, 2)).enableLpis();
    raw.regs.write64(0x0100, 1L << 63 | 1L << 62 | 2 << 8 | 127 | RawIts.DEVICES);
    assertEquals(0x8107_0000_4110_007fL, raw.regs.read64(0x0100), "one level, 4 KiB pages only");
    raw.regs.write64(0x0080, 1L << 63 | 15 | RawIts.QUEUE);
    raw.regs.write32(0x0000, 1);
    raw.mapc(1, 1);
    raw.mapd(DEVICE, 0, RawIts.ITT);
    raw.mapti(DEVICE, 0, 8192, 1);
    raw.fire(DEVICE, 0);
    assertTrue(raw.isPending(1, 8192));
    raw.mapc(2, 0);
    assertEquals(1, raw.its.commandErrors());
  }

  @Test
  @DisplayName("the wires: sizes and gaps of the control frame")
  void registerAccess() {
    RawIts raw = ready(1);
    assertEquals(0x1f, raw.its.read(0x000c, 4).value(), "upper half of GITS_TYPER");
    assertEquals(BusOutcome.ERROR, raw.its.read(0x0000, 8).outcome(), "GITS_CTLR has 32 bits");
    assertEquals(BusOutcome.ERROR, raw.its.read(0x0008, 2).outcome());
    assertEquals(0, raw.its.read(0x0200, 4).value(), "reserved");
    assertEquals(BusOutcome.ERROR, raw.its.write(0x2_0000, 0, 4, SystemBus.CPU), "outside");
  }
}
