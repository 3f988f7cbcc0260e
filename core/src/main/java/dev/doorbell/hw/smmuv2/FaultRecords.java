package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.BankRegisters.*;
import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.Translator;
import java.util.concurrent.locks.ReentrantLock;

/// Keeps the first fault in the registers, and of later ones that there were some. Allocates nothing.
///
/// **Source** IHI 0062 D.c, 3.5 to 3.7.
final class FaultRecords {
  private final RegisterPage gr0;
  private final RegisterPage gr1;
  private final RegisterPage[] banks;
  private final ReentrantLock lock = new ReentrantLock();

  FaultRecords(RegisterPage gr0, RegisterPage gr1, RegisterPage[] banks) {
    this.gr0 = gr0;
    this.gr1 = gr1;
    this.banks = banks;
  }

  /// Records what is wrong with a stream or its configuration.
  void global(Field cause, int streamId, long iova, boolean write) {
    lock.lock();
    try {
      if (gr0.get(GFSR) != 0) {
        gr0.set(GFSR, gr0.get(GFSR) | GFSR_MULTI.mask());
        return;
      }
      gr0.set(GFAR, iova);
      gr0.set(GFSYNR0, GFSYNR0_WNR.place(write ? 1 : 0) | GFSYNR0_NSSTATE.place(1));
      gr0.set(GFSYNR1, GFSYNR1_STREAM_ID.place(streamId & GFSYNR1_STREAM_ID.max()));
      gr0.set(GFSR, cause.mask());
    } finally {
      lock.unlock();
    }
  }

  /// Records what the tables of a bank did not let through.
  ///
  /// @param fault the walk that ended
  void context(BankContext bank, BankWalk fault) {
    RegisterPage page = banks[bank.number()];
    lock.lock();
    try {
      if ((page.get(FSR) & ~FSR_FORMAT.mask()) != 0) {
        page.set(FSR, page.get(FSR) | FSR_MULTI.mask());
        return;
      }
      page.set(FAR, fault.iova);
      page.set(IPAFAR, fault.ipa);
      page.set(
          FSYNR0,
          FSYNR0_PLVL.place(fault.level)
              | FSYNR0_WNR.place((fault.access & Translator.WRITE) != 0 ? 1 : 0)
              | FSYNR0_NESTED.place(fault.bothStages ? 1 : 0)
              | FSYNR0_S1PTWF.place(fault.forFirstStage ? 1 : 0)
              | FSYNR0_NSSTATE.place(1)
              | FSYNR0_PTWF.place(fault.inTableWalk ? 1 : 0)
              | FSYNR0_S1CBNDX.place(fault.firstBank));
      gr1.set(
          Gr1Registers.CBFRSYNRA,
          bank.number(),
          Gr1Registers.CBFRSYNRA_STREAM_ID.place(fault.streamId & GFSYNR1_STREAM_ID.max()));
      page.set(FSR, fault.cause.mask() | FSR_FORMAT.place(bank.format()));
    } finally {
      lock.unlock();
    }
  }

  /// Takes a write of a status register, or of the one that restores it, as its access says.
  void write(RegisterPage page, Register register, long value) {
    lock.lock();
    try {
      if (register == FSRRESTORE) {
        page.set(FSR, page.get(FSR) | value);
      } else if (register == GFSRRESTORE) {
        page.set(GFSR, page.get(GFSR) | value);
      } else {
        page.set(register, register.legalize(page.get(register), value));
      }
    } finally {
      lock.unlock();
    }
  }
}
