package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bits.Field;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.SystemBus;

/// The IOMMU's own interrupts, sent as messages: `ipsr`, `icvec` and `msi_cfg_tbl`. Safe for use from many threads.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 6.15 (`ipsr`), 6.25 (`icvec`), 6.26 (`msi_cfg_tbl`).
final class IommuMessages {
  private static final long NONE = -1;

  private final SystemBus bus;
  private final long[] addresses = new long[VECTORS];
  private final int[] data = new int[VECTORS];
  private final int[] controls = new int[VECTORS];
  private long pending;
  private long vectors;

  /// Vectors whose message waits to go out, one bit each.
  private int waiting;

  IommuMessages(SystemBus bus) {
    this.bus = bus;
  }

  synchronized long pending() {
    return pending;
  }

  synchronized void clear(long bits) {
    pending = IPSR.legalize(pending, bits);
  }

  synchronized long vectors() {
    return vectors;
  }

  synchronized void setVectors(long value) {
    vectors = ICVEC.legalize(vectors, value);
  }

  /// Sets a cause pending; one that is pending already sends nothing.
  synchronized void raise(Field cause) {
    if (!cause.isSet(pending)) {
      pending |= cause.mask();
      waiting |= 1 << vectorOf(cause).getInt(vectors);
    }
  }

  private static Field vectorOf(Field cause) {
    if (cause.equals(CIP)) {
      return CIV;
    }
    if (cause.equals(FIP)) {
      return FIV;
    }
    return cause.equals(PMIP) ? PMIV : PIV;
  }

  /// Sends what waits and is not masked.
  ///
  /// {@return the address of a message that nobody took, or -1 when all are sent}
  long send() {
    while (true) {
      int vector;
      long at;
      int datum;
      synchronized (this) {
        vector = next();
        if (vector < 0) {
          return NONE;
        }
        waiting &= ~(1 << vector);
        at = MSI_ADDR.get(addresses[vector]);
        datum = data[vector];
      }
      if (bus.write(at, Integer.toUnsignedLong(datum), Integer.BYTES, SystemBus.CPU)
          == BusOutcome.ERROR) {
        return at;
      }
    }
  }

  private int next() {
    for (int v = 0; v < VECTORS && waiting != 0; v++) {
      if ((waiting & (1 << v)) != 0 && !MSI_MASK.isSet(controls[v])) {
        return v;
      }
    }
    return -1;
  }

  boolean owns(long offset) {
    return offset >= MSI_CFG_TBL && offset < MSI_CFG_TBL + VECTORS * VECTOR_BYTES;
  }

  /// {@return whether an access is of a whole field, or of half an address}
  boolean answers(long offset, int bytes) {
    boolean half = bytes == Integer.BYTES && offset % Integer.BYTES == 0;
    boolean address = bytes == Long.BYTES && offset % VECTOR_BYTES == 0;
    return half || address;
  }

  synchronized long read(long offset, int bytes) {
    int v = vector(offset);
    long address = addresses[v];
    return switch ((int) (offset % VECTOR_BYTES)) {
      case 0 -> bytes == Long.BYTES ? address : half(address, 0);
      case Integer.BYTES -> half(address, 1);
      case MSI_DATA_AT -> Integer.toUnsignedLong(data[v]);
      default -> controls[v];
    };
  }

  synchronized void write(long offset, long value, int bytes) {
    int v = vector(offset);
    long low = addresses[v];
    switch ((int) (offset % VECTOR_BYTES)) {
      case 0 ->
          addresses[v] = MSI_ADDR.mask() & (bytes == Long.BYTES ? value : withHalf(low, 0, value));
      case Integer.BYTES -> addresses[v] = MSI_ADDR.mask() & withHalf(low, 1, value);
      case MSI_DATA_AT -> data[v] = (int) value;
      default -> controls[v] = (int) (value & MSI_MASK.mask());
    }
  }

  private static int vector(long offset) {
    return (int) (offset - MSI_CFG_TBL) / VECTOR_BYTES;
  }
}
