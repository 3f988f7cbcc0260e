package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bits.Register;

/// A ring in memory that the IOMMU fills and software empties, and its registers: what the fault queue and the page-request queue have in common,
/// the bits of their control and status registers included. Safe for use from many threads.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.2, 4.3, 6.13 (`fqcsr`), 6.14 (`pqcsr`).
abstract class RecordQueue {
  private final Register baseRegister;
  private final Register csrRegister;
  private final int recordBytes;
  private long base;
  private int head;
  private int tail;
  private long csr;

  RecordQueue(Register baseRegister, Register csrRegister, int recordBytes) {
    this.baseRegister = baseRegister;
    this.csrRegister = csrRegister;
    this.recordBytes = recordBytes;
  }

  final synchronized long base() {
    return base;
  }

  final synchronized int head() {
    return head;
  }

  final synchronized int tail() {
    return tail;
  }

  final synchronized long csr() {
    return csr;
  }

  final synchronized void setBase(long value) {
    if (!FQEN.isSet(csr)) {
      base = baseRegister.legalize(base, value);
    }
  }

  final synchronized void setHead(long value) {
    head = (int) value & mask();
  }

  final synchronized void setCsr(long value) {
    boolean was = FQEN.isSet(csr);
    csr = csrRegister.legalize(csr, value);
    if (FQEN.isSet(csr) && !was) {
      tail = 0;
      csr &= ~(FQMF.mask() | FQOF.mask());
    }
    csr = FQON.with(csr, FQEN.isSet(csr) ? 1 : 0);
  }

  /// {@return whether the queue is on} The caller holds the lock, as of all that follows.
  final boolean isOn() {
    return FQON.isSet(csr);
  }

  /// {@return whether interrupts are asked for}
  final boolean interruptsEnabled() {
    return FIE.isSet(csr);
  }

  /// {@return whether its memory did not answer, and software has not seen it yet}
  final boolean hasFaulted() {
    return FQMF.isSet(csr);
  }

  /// {@return whether a record found no room, and software has not seen it yet}
  final boolean hasOverflowed() {
    return FQOF.isSet(csr);
  }

  /// {@return whether something that happened asks for an interrupt until software has cleared it}
  ///
  /// **Source**: RISC-V IOMMU Architecture 1.0, 6.15 (`ipsr`).
  final synchronized boolean insists() {
    return interruptsEnabled() && (hasFaulted() || hasOverflowed());
  }

  final void fault() {
    csr |= FQMF.mask();
  }

  final void overflow() {
    csr |= FQOF.mask();
  }

  final boolean isFull() {
    return next() == head;
  }

  /// {@return where the next record goes}
  final long place() {
    return DirectoryLayout.address(BASE_PPN.get(base)) + (long) tail * recordBytes;
  }

  /// Shows software the record that was written at {@link #place}.
  final void advance() {
    tail = next();
  }

  private int next() {
    return (tail + 1) & mask();
  }

  private int mask() {
    return (2 << LOG2SZ.getInt(base)) - 1;
  }
}
