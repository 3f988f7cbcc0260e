package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;

/// The fault queue as the driver reads it. Safe for use from many threads.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.2, 6.8 to 6.10, 6.13.
final class FaultDrain {
  /// One page.
  private static final int LOG2 = 7;

  private static final int ENTRIES = 1 << LOG2;

  private final RiscvIommuPort port;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final Pa base;

  FaultDrain(RiscvIommuPort port, PhysicalMemory memory, Frames frames) {
    this.port = port;
    this.memory = memory;
    this.frames = frames;
    this.base = frames.allocate(bytes(), bytes());
  }

  /// Tells the hardware where the queue is, and turns it on. It must be off.
  void start() {
    port.write(FQB, LOG2SZ.place(LOG2 - 1) | BASE_PPN.place(DirectoryLayout.ppn(base.value())));
    port.write(FQH, 0);
    port.write(FQCSR, FQEN.mask());
    port.await(FQCSR, "fqcsr.fqon", v -> FQON.isSet(v) && !FQ_BUSY.isSet(v));
  }

  /// Turns the queue off.
  static void stop(RiscvIommuPort port) {
    port.await(FQCSR, "fqcsr.busy = 0", v -> !FQ_BUSY.isSet(v));
    port.write(FQCSR, 0);
    port.await(FQCSR, "fqcsr.fqon = 0", v -> !FQON.isSet(v) && !FQ_BUSY.isSet(v));
  }

  /// {@return what waits; after an overflow the queue records again}
  synchronized List<RiscvIommuFault> drain() {
    List<RiscvIommuFault> out = new ArrayList<>();
    int tail = INDEX.getInt(port.read(FQT)) % ENTRIES;
    int head = INDEX.getInt(port.read(FQH)) % ENTRIES;
    while (head != tail) {
      long at = base.value() + (long) head * FaultLayout.BYTES;
      long first = memory.read64(at);
      out.add(
          new RiscvIommuFault(
              FaultLayout.CAUSE.getInt(first),
              FaultLayout.DID.getInt(first),
              FaultLayout.TTYP.getInt(first),
              memory.read64(at + FaultLayout.IOTVAL_AT),
              memory.read64(at + FaultLayout.IOTVAL2_AT)));
      head = (head + 1) % ENTRIES;
    }
    port.write(FQH, head);
    long lost = port.read(FQCSR) & (FQOF.mask() | FQMF.mask());
    if (lost != 0) {
      port.write(FQCSR, FQEN.mask() | lost);
    }
    return out;
  }

  /// Gives the queue's memory back. The queue must be off.
  void free() {
    frames.free(base, bytes());
  }

  private static long bytes() {
    return (long) FaultLayout.BYTES << LOG2;
  }
}
