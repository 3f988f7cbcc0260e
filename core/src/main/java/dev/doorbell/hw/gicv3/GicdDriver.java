package dev.doorbell.hw.gicv3;

import static dev.doorbell.hw.gicv3.GicdRegisters.*;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;

/// Programs the Distributor. Callers synchronise.
final class GicdDriver {
  /// Of every interrupt: in the middle, so that software above may use both sides.
  static final int PRIORITY = 0xa0;

  private final String id;
  private final RegisterBus bus;
  private final int lastSpi;
  private final int idBits;
  private final long lpis;

  GicdDriver(String id, RegisterBus bus) {
    this.id = id;
    this.bus = bus;
    long arch = ARCH_REV.get(Integer.toUnsignedLong(bus.read32(PIDR2.offset())));
    if (arch != 3 && arch != 4) {
      throw new MsiControllerFailed(
          id, "is no GICv3 (GICD_PIDR2.ArchRev is " + arch + ")", Source.rule("GICD_PIDR2"));
    }
    long typer = Integer.toUnsignedLong(bus.read32(TYPER.offset()));
    if (!LPIS.isSet(typer)) {
      throw new MsiControllerFailed(
          id, "has no LPIs (GICD_TYPER 0x%x)".formatted(typer), Source.rule("GICD_TYPER"));
    }
    lastSpi = Math.min((ITLINES_NUMBER.getInt(typer) + 1) * 32, SPI_LIMIT) - 1;
    idBits = ID_BITS.getInt(typer) + 1;
    long byIds = (1L << idBits) - LpiTables.FIRST_LPI;
    long declared = NUM_LPIS.get(typer);
    lpis = declared == 0 ? byIds : Math.min(byIds, 1L << (declared + 1));
  }

  int lastSpi() {
    return lastSpi;
  }

  int idBits() {
    return idBits;
  }

  /// {@return LPIs that the GIC has, from INTID 8192}
  long lpis() {
    return lpis;
  }

  /// Every SPI in Group 1, disabled; affinity routing and Group 1 on.
  void initialise() {
    // Bit 0 is EnableGrp0 where there is one Security state and EnableGrp1 where a Non-secure
    // access sees one of two; bit 1 is
    // Group 1 with affinity routing in both.
    boolean single = DS.isSet(Integer.toUnsignedLong(bus.read32(CTLR.offset())));
    writeCtlr(ARE.place(1));
    for (int word = 1; word <= lastSpi / 32; word++) {
      bus.write32(ICENABLER.offset(word), -1);
      bus.write32(IGROUPR.offset(word), -1);
      bus.write32(ICPENDR.offset(word), -1);
      bus.write32(ICACTIVER.offset(word), -1);
    }
    int four =
        (int)
            (PRIORITY_0.place(PRIORITY)
                | PRIORITY_1.place(PRIORITY)
                | PRIORITY_2.place(PRIORITY)
                | PRIORITY_3.place(PRIORITY));
    for (int i = FIRST_SPI / 4; i <= lastSpi / 4; i++) {
      bus.write32(IPRIORITYR.offset(i), four);
    }
    writeCtlr(ARE.place(1) | ENABLE_GRP1.place(1) | ENABLE_GRP0.place(single ? 0 : 1));
  }

  private void writeCtlr(long value) {
    bus.write32(CTLR.offset(), (int) value);
    sync();
  }

  /// Waits until the Distributor has taken earlier writes.
  void sync() {
    BoundedPoll.untilClear(
        id, "GICD_CTLR", RWP.mask(), () -> Integer.toUnsignedLong(bus.read32(CTLR.offset())));
  }

  void configureEdge(int intid) {
    long offset = ICFGR.offset(intid / 16);
    bus.write32(offset, bus.read32(offset) | 2 << (intid % 16 * 2));
  }

  void route(int intid, long mpidr) {
    long affinity = mpidr & (AFF0.mask() | AFF1.mask() | AFF2.mask() | AFF3.mask());
    bus.write64(IROUTER.offset(intid), affinity);
    sync();
  }

  void enable(int intid) {
    bus.write32(ISENABLER.offset(intid / 32), bit(intid));
    sync();
  }

  void disable(int intid) {
    bus.write32(ICENABLER.offset(intid / 32), bit(intid));
    sync();
  }

  boolean isEnabled(int intid) {
    return (bus.read32(ISENABLER.offset(intid / 32)) & bit(intid)) != 0;
  }

  boolean isPending(int intid) {
    return (bus.read32(ISPENDR.offset(intid / 32)) & bit(intid)) != 0;
  }

  void setPending(int intid) {
    bus.write32(ISPENDR.offset(intid / 32), bit(intid));
  }

  void clearPending(int intid) {
    bus.write32(ICPENDR.offset(intid / 32), bit(intid));
  }

  /// {@return the SPIs of a word that are enabled and pending}
  int readyInWord(int word) {
    return bus.read32(ISPENDR.offset(word)) & bus.read32(ISENABLER.offset(word));
  }

  private static int bit(int intid) {
    return 1 << (intid % 32);
  }
}
