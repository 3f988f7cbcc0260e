package dev.doorbell.hw.smmuv2;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;

/// The registers of one SMMUv2 by name. Safe for use from many threads as far as the bus is.
///
/// **Source** IHI 0062 D.c, 9.1: two halves of equal size; the lower one's pages 0 and 1 are the global spaces, page n of the upper one is
/// context bank n.
///
/// @param id the SMMU's id, for messages
/// @param bus the window
/// @param pageBytes 4 or 64 KiB
/// @param pages of one half
/// @param polls how many reads a wait lasts at most
record SmmuV2Port(String id, RegisterBus bus, long pageBytes, int pages, int polls) {
  private static final long SMALL_PAGE = 0x1000;
  private static final long LARGE_PAGE = 0x1_0000;

  /// {@return the port of a window whose shape its own register tells}
  static SmmuV2Port of(String id, RegisterBus bus, int polls) {
    long idr1 = bus.read(Gr0Registers.IDR1.offset(), Gr0Registers.IDR1.bytes());
    return new SmmuV2Port(
        id,
        bus,
        Gr0Registers.IDR1_PAGESIZE.isSet(idr1) ? LARGE_PAGE : SMALL_PAGE,
        1 << (Gr0Registers.IDR1_NUMPAGENDXB.getInt(idr1) + 1),
        polls);
  }

  long gr0(Register register) {
    return gr0(register, 0);
  }

  long gr0(Register register, int index) {
    return bus.read(register.offset(index), register.bytes());
  }

  void writeGr0(Register register, long value) {
    writeGr0(register, 0, value);
  }

  void writeGr0(Register register, int index, long value) {
    bus.write(register.offset(index), value, register.bytes());
  }

  long gr1(Register register, int index) {
    return bus.read(pageBytes + register.offset(index), register.bytes());
  }

  void writeGr1(Register register, int index, long value) {
    bus.write(pageBytes + register.offset(index), value, register.bytes());
  }

  long bank(int bank, Register register) {
    return bus.read(at(bank, register), register.bytes());
  }

  void writeBank(int bank, Register register, long value) {
    bus.write(at(bank, register), value, register.bytes());
  }

  /// Writes the low half of a register, as SMMUs with AArch32 tables take it.
  void writeBankLow(int bank, Register register, long value) {
    bus.write(at(bank, register), value, Integer.BYTES);
  }

  /// Waits for all invalidations and for the accesses that may use what they removed.
  ///
  /// @throws SmmuV2Timeout when they do not end
  void sync() {
    writeGr0(Gr0Registers.TLBGSYNC, 0);
    Field active = Gr0Registers.TLBGSTATUS_GSACTIVE;
    await("SMMU_sTLBGSTATUS.GSACTIVE = 0", active, Gr0Registers.TLBGSTATUS.offset());
  }

  /// Waits for the invalidations of one bank.
  ///
  /// @throws SmmuV2Timeout when they do not end
  void sync(int bank) {
    writeBank(bank, BankRegisters.TLBSYNC, 0);
    await(
        "SMMU_CB%d_TLBSTATUS.SACTIVE = 0".formatted(bank),
        BankRegisters.TLBSTATUS_SACTIVE,
        at(bank, BankRegisters.TLBSTATUS));
  }

  private void await(String what, Field active, long offset) {
    long last = 0;
    for (int i = 0; i < polls; i++) {
      last = bus.read(offset, Integer.BYTES);
      if (!active.isSet(last)) {
        return;
      }
      Thread.onSpinWait();
    }
    throw new SmmuV2Timeout(id, what, last, polls);
  }

  private long at(int bank, Register register) {
    return (pages + bank) * pageBytes + register.offset();
  }
}
