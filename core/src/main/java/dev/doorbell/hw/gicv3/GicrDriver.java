package dev.doorbell.hw.gicv3;

import static dev.doorbell.hw.gicv3.GicrRegisters.*;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;

/// Programs one CPU's Redistributor.
///
/// @param id the GIC's name
/// @param bus the region that it lies in
/// @param at its offset in the region
/// @param address its physical address
/// @param typer GICR_TYPER
/// @param pendingTable physical address
record GicrDriver(
    String id, RegisterBus bus, long at, long address, long typer, long pendingTable) {
  /// Inner shareable, read- and write-allocate, write-back.
  private static final int SHARED = 1;

  private static final int CACHED = 7;
  private static final int NOT_CACHED = 1;

  int processorNumber() {
    return PROCESSOR_NUMBER.getInt(typer);
  }

  /// Wakes it, puts SGIs and PPIs into Group 1 and disables them, and enables LPIs with the given tables, which are in memory already.
  void initialise(long configTable, int idBits) {
    bus.write32(at + WAKER.offset(), 0);
    BoundedPoll.untilClear(
        id,
        "GICR_WAKER",
        CHILDREN_ASLEEP.mask(),
        () -> Integer.toUnsignedLong(bus.read32(at + WAKER.offset())));
    bus.write32(at + ICENABLER0.offset(), -1);
    bus.write32(at + IGROUPR0.offset(), -1);
    sync();
    stopLpis();
    enableLpis(configTable, idBits);
  }

  /// Makes it forget its tables.
  void stopLpis() {
    long ctlr = readCtlr();
    if (!ENABLE_LPIS.isSet(ctlr)) {
      return;
    }
    bus.write32(at + CTLR.offset(), (int) ENABLE_LPIS.with(ctlr, 0));
    sync();
    if (ENABLE_LPIS.isSet(readCtlr())) {
      throw new MsiControllerFailed(
          id,
          "has LPIs enabled at the redistributor at 0x%x and cannot disable them, so its tables cannot be replaced"
              .formatted(address),
          Source.rule("GICR_CTLR.EnableLPIs"));
    }
  }

  private void enableLpis(long configTable, int idBits) {
    long prop = PROP_ADDRESS.place(configTable) | PROP_ID_BITS.place(idBits - 1);
    long pend = PEND_ADDRESS.place(pendingTable) | PTZ.place(1);
    bus.write64(
        at + PROPBASER.offset(),
        prop | PROP_SHAREABILITY.place(SHARED) | PROP_INNER_CACHE.place(CACHED));
    long taken = bus.read64(at + PROPBASER.offset());
    boolean shared = PROP_SHAREABILITY.isSet(taken);
    if (!shared) {
      // Hardware that does not share must not cache either.
      bus.write64(at + PROPBASER.offset(), prop | PROP_INNER_CACHE.place(NOT_CACHED));
      taken = bus.read64(at + PROPBASER.offset());
    }
    bus.write64(
        at + PENDBASER.offset(),
        pend
            | PEND_SHAREABILITY.place(shared ? SHARED : 0)
            | PEND_INNER_CACHE.place(shared ? CACHED : NOT_CACHED));
    long pending = bus.read64(at + PENDBASER.offset());
    if (PROP_ADDRESS.get(taken) != configTable || PEND_ADDRESS.get(pending) != pendingTable) {
      throw new MsiControllerFailed(
          id,
          "did not take the LPI tables at 0x%x and 0x%x (GICR_PROPBASER 0x%x, GICR_PENDBASER 0x%x)"
              .formatted(configTable, pendingTable, taken, pending),
          Source.rule("GICR_PROPBASER"));
    }
    bus.write32(at + CTLR.offset(), (int) ENABLE_LPIS.with(readCtlr(), 1));
    sync();
  }

  private long readCtlr() {
    return Integer.toUnsignedLong(bus.read32(at + CTLR.offset()));
  }

  private void sync() {
    BoundedPoll.untilClear(id, "GICR_CTLR", RWP.mask(), this::readCtlr);
  }
}
