package dev.doorbell.diff;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.hw.gicv3.GicdRegisters;
import dev.doorbell.hw.smmuv3.SmmuWires;

/// The SMMU's wired interrupts as the Distributor shows them: SPIs that are edges, pending until software clears them.
///
/// **Source** QEMU, `hw/arm/virt.c` (VIRT_SMMU is SPI 74, four interrupts), `hw/arm/smmu.c` (their order); IHI 0069 H, 12.9 (GICD_ISPENDR).
final class SmmuLines implements MmioDevice {
  private static final int FIRST_INTID = 32 + 74;
  private static final int WORD = FIRST_INTID / Integer.SIZE;
  private static final int HALF_WORD = FIRST_INTID / (Integer.SIZE / 2);

  static final long EVENT_QUEUE = bit(0);
  static final long COMMAND_SYNC = bit(2);
  static final long GLOBAL_ERROR = bit(3);
  static final long ALL = EVENT_QUEUE | bit(1) | COMMAND_SYNC | GLOBAL_ERROR;

  /// Where they are seen.
  static final Place PENDING =
      new Place(
          "pending interrupts of the SMMU (GICD_ISPENDR)",
          Board.GICD + GicdRegisters.ISPENDR.offset(WORD),
          Integer.BYTES,
          ALL);

  /// Where they are cleared.
  static final long CLEAR = Board.GICD + GicdRegisters.ICPENDR.offset(WORD);

  /// Where they are made edges, and what makes them so.
  static final long CONFIGURE = Board.GICD + GicdRegisters.ICFGR.offset(HALF_WORD);

  static final long EDGES = 0xaaaa_aaaaL;

  private long pending;

  private static long bit(int number) {
    return 1L << (FIRST_INTID + number) % Integer.SIZE;
  }

  /// {@return the wires of an SMMU whose interrupts show here}
  SmmuWires wires() {
    return new SmmuWires(line(EVENT_QUEUE), line(GLOBAL_ERROR), line(COMMAND_SYNC), SystemBus.CPU);
  }

  private InterruptLine line(long bit) {
    return level -> pending |= level ? bit : 0;
  }

  @Override
  public BusRead read(long offset, int bytes) {
    return BusRead.ok(Board.GICD + offset == PENDING.address() ? pending : 0);
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (Board.GICD + offset == CLEAR) {
      pending &= ~value;
    }
    return BusOutcome.OK;
  }
}
