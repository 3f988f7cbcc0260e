package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuRegisters.*;

import dev.doorbell.bits.Register;
import dev.doorbell.vmsa.Regime;

/// What a write to a register does: which bits it takes, and when they are read-only. Callers hold the register lock.
///
/// Writes that the manual forbids in the current state are ignored.
///
/// **Source** IHI 0070 F.b, 6.3.
final class RegisterWrites {
  private static final long QUEUE_ATTRIBUTES =
      CR1_QUEUE_IC.mask() | CR1_QUEUE_OC.mask() | CR1_QUEUE_SH.mask();

  private final SmmuFeatures features;
  private final RegisterFile registers;

  RegisterWrites(SmmuFeatures features, RegisterFile registers) {
    this.features = features;
    this.registers = registers;
  }

  /// Takes a write of a whole register.
  void write(Register register, long value) {
    long old = registers.get(register);
    long next = register.legalize(old, value);
    if (register == CR0) {
      // SMMU_CR0 without ATS, PRI and VMW.
      next &= CR0_SMMUEN.mask() | CR0_EVENTQEN.mask() | CR0_CMDQEN.mask();
    } else if (register == CR1) {
      next = cr1(old, next);
    } else if (register == CR2) {
      next = enabled(CR0_SMMUEN.mask()) ? old : cr2(next);
    } else if (register == GBPA) {
      // A change is made by a write with Update set, and at once.
      next = features.gbpa() && GBPA_UPDATE.isSet(next) ? GBPA_UPDATE.with(next, 0) : old;
    } else if (register == IRQ_CTRL) {
      next = IRQ_CTRL_PRIQ_IRQEN.with(next, 0);
    } else if (register == CMDQ_PROD) {
      next &= Regime.ones(indexBits(CMDQ_BASE, features.idr1(IDR1_CMDQS)));
    } else if (isReadOnly(register)) {
      next = old;
    }
    if (register == EVENTQ_PROD || register == EVENTQ_CONS) {
      long flag = OUTQ_CONS_OVACKFLG.mask();
      next &= flag | Regime.ones(indexBits(EVENTQ_BASE, features.idr1(IDR1_EVENTQS)));
    }
    registers.set(register, next);
  }

  /// Makes the acknowledge registers follow: every change here is complete at once.
  void acknowledge() {
    registers.set(CR0ACK, registers.get(CR0));
    registers.set(IRQ_CTRLACK, registers.get(IRQ_CTRL));
  }

  private long cr1(long old, long next) {
    long fixed = 0;
    if (enabled(CR0_SMMUEN.mask())) {
      fixed |= ~QUEUE_ATTRIBUTES;
    }
    if (enabled(CR0_CMDQEN.mask() | CR0_EVENTQEN.mask())) {
      fixed |= QUEUE_ATTRIBUTES;
    }
    return (old & fixed) | (next & ~fixed);
  }

  private long cr2(long next) {
    long taken = CR2_RECINVSID.mask() | CR2_PTM.mask();
    return next & (features.has0(IDR0_HYP) ? taken | CR2_E2H.mask() : taken);
  }

  private boolean isReadOnly(Register register) {
    if (register == STRTAB_BASE || register == STRTAB_BASE_CFG) {
      return enabled(CR0_SMMUEN.mask());
    }
    if (register == CMDQ_BASE || register == CMDQ_CONS) {
      return enabled(CR0_CMDQEN.mask());
    }
    if (register == EVENTQ_BASE || register == EVENTQ_PROD) {
      return enabled(CR0_EVENTQEN.mask());
    }
    if (register == GERROR_IRQ_CFG0 || register == GERROR_IRQ_CFG1 || register == GERROR_IRQ_CFG2) {
      return !features.has0(IDR0_MSI) || registers.isSet(IRQ_CTRL, IRQ_CTRL_GERROR_IRQEN);
    }
    if (register == EVENTQ_IRQ_CFG0 || register == EVENTQ_IRQ_CFG1 || register == EVENTQ_IRQ_CFG2) {
      return !features.has0(IDR0_MSI) || registers.isSet(IRQ_CTRL, IRQ_CTRL_EVENTQ_IRQEN);
    }
    return isPriQueue(register);
  }

  // There is no PRI queue: RES0.
  private static boolean isPriQueue(Register register) {
    return register == PRIQ_BASE
        || register == PRIQ_PROD
        || register == PRIQ_CONS
        || register == PRIQ_IRQ_CFG0
        || register == PRIQ_IRQ_CFG1
        || register == PRIQ_IRQ_CFG2;
  }

  private int indexBits(Register base, int most) {
    return Math.min(CMDQ_BASE_LOG2SIZE.getInt(registers.get(base)), most) + 1;
  }

  private boolean enabled(long bits) {
    return ((registers.get(CR0) | registers.get(CR0ACK)) & bits) != 0;
  }
}
