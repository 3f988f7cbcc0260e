package dev.doorbell.hw.riscviommu;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.SystemBus;

/// Interrupt files in memory (MRIF): a message becomes a pending bit there, and a notice MSI is sent, whatever is enabled. Safe for use from many
/// threads.
///
/// **Source**: RISC-V AIA 1.0, 9.3.1 (format), 9.5.2 (MSI PTE, MRIF mode).
final class ResidentFiles {
  /// Bits of an address within its page that tell no byte order.
  private static final long OFFSET = 0xff8;

  private static final long BIG_ENDIAN = 4;

  private final PhysicalMemory memory;
  private final SystemBus bus;
  private final boolean atomic;

  /// @param atomic whether software may change the same doublewords at the same time (`capabilities.AMO_MRIF`)
  ResidentFiles(PhysicalMemory memory, SystemBus bus, boolean atomic) {
    this.memory = memory;
    this.bus = bus;
    this.atomic = atomic;
  }

  /// What becomes of a message.
  enum Outcome {
    /// It is pending and noticed, or was no message and is discarded.
    TAKEN,
    /// The file cannot be written.
    NO_FILE,
    /// It is pending, and nobody took the notice MSI.
    NO_NOTICE
  }

  /// Records an aligned write of 32 bits in the file that a walk found.
  Outcome take(PageWalk walk, long iova, int value) {
    int identity = (iova & BIG_ENDIAN) == 0 ? value : Integer.reverseBytes(value);
    if ((iova & OFFSET) != 0 || identity >>> MsiPteLayout.IDENTITY_BITS != 0) {
      return Outcome.TAKEN;
    }
    long notice = walk.notice;
    int datum = walk.noticeDatum;
    try {
      setPending(
          walk.file + (long) (identity / Long.SIZE) * MsiPteLayout.MRIF_PAIR_BYTES, 1L << identity);
    } catch (BusErrorException e) {
      return Outcome.NO_FILE;
    }
    memory.publish();
    return bus.write(notice, datum, Integer.BYTES, SystemBus.CPU) == BusOutcome.ERROR
        ? Outcome.NO_NOTICE
        : Outcome.TAKEN;
  }

  private void setPending(long at, long bit) {
    long old = memory.read64(at);
    if (!atomic) {
      memory.write64(at, old | bit);
      return;
    }
    while ((old & bit) == 0 && !memory.compareAndSet64(at, old, old | bit)) {
      old = memory.read64(at);
    }
  }

  /// Lets a write through to where it was translated.
  BusOutcome pass(long pa, long value, int bytes, int requester) {
    return bus.write(pa, value, bytes, requester);
  }
}
