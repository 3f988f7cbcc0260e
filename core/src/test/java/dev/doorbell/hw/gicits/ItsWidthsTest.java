package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.VectorBlock;
import java.util.List;
import java.util.function.LongBinaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "IHI 0069 5.2, 12.19: ITSes of other widths, and messages and commands at the bounds of tables")
class ItsWidthsTest {
  private static final long CTLR = 0x0;
  private static final long TYPER = 0x8;
  private static final long BASER0 = 0x100;
  private static final long PIDR2 = 0xffe8;

  private long lastDeviceTable;

  private MmioDevice changed(MmioDevice real, LongBinaryOperator read) {
    return new MmioDevice() {
      @Override
      public BusRead read(long offset, int bytes) {
        return BusRead.ok(read.applyAsLong(offset, real.read(offset, bytes).value()));
      }

      @Override
      public BusOutcome write(long offset, long value, int bytes, int requester) {
        if (offset == BASER0 && value < 0) {
          lastDeviceTable = value;
        }
        return real.write(offset, value, bytes, requester);
      }
    };
  }

  private ItsDriver open(DrivenIts m, LongBinaryOperator read) {
    m.itsModel.write(CTLR, 0, 4, -1);
    return ItsDriver.open(m.itsHardware("other", changed(m.itsModel, read)), m.gic);
  }

  @Test
  @DisplayName(
      "no physical LPIs, or another architecture: refused before anything is written, by both words")
  void refused() {
    DrivenIts m = new DrivenIts(1, false);
    long before = m.frames.bytesInUse();
    MsiControllerFailed virtual =
        assertThrows(
            MsiControllerFailed.class, () -> open(m, (at, v) -> at == TYPER ? v & ~1L : v));
    assertTrue(virtual.getMessage().contains("GITS_TYPER 0x1f0001efb0"), virtual.getMessage());
    MsiControllerFailed old =
        assertThrows(MsiControllerFailed.class, () -> open(m, (at, v) -> at == PIDR2 ? 0x2b : v));
    assertTrue(old.getMessage().contains("ArchRev 2"), old.getMessage());
    assertEquals(before, m.frames.bytesInUse());
    assertEquals(1, open(m, (at, v) -> at == PIDR2 ? 0x4b : v).cpus(), "GICv4 is one, too");
  }

  @Test
  @DisplayName("GITS_BASER.Entry_Size: larger entries, fewer of them")
  void entrySize() {
    DrivenIts m = new DrivenIts(1, false, new ItsConfig(20, 16, false, false, 0b001, 0), 16);
    ItsDriver its = open(m, (at, v) -> at == BASER0 ? v | 15L << 48 : v);
    assertEquals(256 * 4096 / 16, its.deviceIds());
  }

  @Test
  @DisplayName("an ITS that does not share its tables does not cache them either")
  void notShared() {
    DrivenIts m = new DrivenIts(1, false);
    open(m, (at, v) -> v);
    assertEquals(7, lastDeviceTable >> 59 & 7);
    open(m, (at, v) -> at == BASER0 ? v & ~(3L << 10) : v);
    assertEquals(1, lastDeviceTable >> 59 & 7, "Normal, not cacheable");
    assertEquals(0, lastDeviceTable >> 10 & 3);
  }

  @Test
  @DisplayName("a function with more vectors than usual has a translation table that holds them")
  void manyEvents() {
    DrivenIts m = new DrivenIts(1, false);
    VectorBlock v = m.allocate(0x100, 5000);
    v.activate(4999, 0);
    m.fire(v, 4999, 0x100);
    assertEquals(List.of(v.intid(4999) + "@0"), m.collect());
    assertEquals(0, m.itsModel.commandErrors(), m.itsModel::lastCommandError);
  }

  @Test
  @DisplayName(
      "GITS_TYPER.Devbits bounds DeviceIDs though the table has entries beyond, for commands and for messages")
  void tableBeyondDeviceBits() {
    RawIts raw = new RawIts(1, ItsConfig.QEMU.withDeviceIdBits(8)).enableLpis().enableIts(false);
    raw.mapc(0, 0);
    raw.mapd(0xff, 3, RawIts.ITT);
    raw.mapti(0xff, 4, 8206, 0);
    assertEquals(0, raw.its.commandErrors(), raw.its::lastCommandError);
    raw.mapd(0x100, 3, RawIts.ITT);
    assertEquals(1, raw.its.commandErrors());
    raw.memory.write64(RawIts.DEVICES + 0x100 * 8, raw.memory.read64(RawIts.DEVICES + 0xff * 8));
    raw.fire(0x100, 4);
    assertEquals(1, raw.its.dropped());
    raw.fire(0xff, 4);
    assertTrue(raw.isPending(0, 8206));
  }

  @ParameterizedTest(name = "two levels: {0}, DeviceID {1}: {2}")
  @CsvSource({
    "false, 0xffff, true",
    "false, 0x10000, false",
    "true, 0x1fff, true",
    "true, 0x2000, false"
  })
  @DisplayName(
      "a device table ends with its pages; a level-1 entry that is not valid has no page, whatever else it holds")
  void tableEnds(boolean indirect, String device, boolean there) {
    RawIts raw =
        new RawIts(1, ItsConfig.QEMU.withDeviceIdBits(20)).enableLpis().enableIts(indirect);
    if (indirect) {
      raw.memory.write64(RawIts.DEVICES, 1L << 63 | 0x4170_0000L);
      raw.memory.write64(RawIts.DEVICES + 8, 0x4171_0000L);
    }
    raw.mapd(Long.decode(device), 3, RawIts.ITT);
    assertEquals(there ? 0 : 1, raw.its.commandErrors(), raw.its::lastCommandError);
  }

  @Test
  @DisplayName("5.3.8 MAPC: a target above 32 bits is none")
  void wideTarget() {
    RawIts raw = new RawIts(1, ItsConfig.QEMU).enableLpis().enableIts(false);
    raw.command(0x09, 0, 1L << 63 | 1L << 48);
    assertEquals(1, raw.its.commandErrors());
  }
}
