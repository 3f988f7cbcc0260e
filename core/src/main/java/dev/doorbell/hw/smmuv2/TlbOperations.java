package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.BankRegisters.*;
import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.AccessGate;
import org.jspecify.annotations.Nullable;

/// What writes of the TLBI and TLBSYNC registers do. Callers hold the register lock.
///
/// **Source** IHI 0062 D.c, 4.5, 9.6.35 (SMMU_TLBIVMID), 9.6.36 (SMMU_TLBIVMIDS1), 16.5.
record TlbOperations(Tlb tlb, AccessGate gate) {
  private static final long PAGE = 0x1000;
  private static final int ANY = -1;
  private static final int UNUSED_VA_BITS = 8;

  /// Runs the operation of a register, if it has one.
  ///
  /// @param bank whose page it is in; none in the global space
  /// @param vmid of the bank's translations
  void run(Register register, long operand, @Nullable BankContext bank, int vmid) {
    if (bank != null) {
      inBank(register, operand, bank, vmid);
    } else if (register == TLBIVMID) {
      tlb.dropVmid(TLBIVMID_VMID.getInt(operand));
    } else if (register == TLBIVMIDS1) {
      tlb.dropStage1(TLBIVMID_VMID.getInt(operand));
    } else if (register == TLBIALLNSNH) {
      tlb.dropAll();
    } else if (register == TLBGSYNC) {
      gate.drain();
    }
  }

  private void inBank(Register register, long operand, BankContext bank, int vmid) {
    if (register == TLBSYNC) {
      gate.drain();
    } else if (register == TLBIALL) {
      if (bank.isStage2()) {
        tlb.dropVmid(vmid);
      } else {
        tlb.dropStage1(vmid);
      }
    } else if (bank.isStage2()) {
      stage2(register, operand, vmid);
    } else {
      stage1(register, operand, bank, vmid);
    }
  }

  private void stage2(Register register, long operand, int vmid) {
    if (register == TLBIIPAS2 || register == TLBIIPAS2L) {
      long at = TLBIIPAS2_IPA.get(operand) * PAGE;
      tlb.dropIpa(vmid, AddressRange.ofSize(at, PAGE), register == TLBIIPAS2L);
    }
  }

  private void stage1(Register register, long operand, BankContext bank, int vmid) {
    if (register == TLBIASID) {
      tlb.dropAsid(vmid, TLBIASID_ASID.getInt(operand));
      return;
    }
    boolean anyAsid = register == TLBIVAA || register == TLBIVAAL;
    if (!anyAsid && register != TLBIVA && register != TLBIVAL) {
      return;
    }
    boolean is64 = bank.format() == BankContext.FORMAT_AARCH64;
    long at =
        is64
            // The operand has bits 55 to 12: the others are as bit 55 says.
            ? TLBIVA_VA.get(operand) * PAGE << UNUSED_VA_BITS >> UNUSED_VA_BITS
            : TLBIVA32_VA.get(operand);
    int asid = (is64 ? TLBIVA_ASID : TLBIVA32_ASID).getInt(operand);
    tlb.dropVa(
        vmid,
        anyAsid ? ANY : asid,
        new AddressRange(at, at + (PAGE - 1)),
        register == TLBIVAL || register == TLBIVAAL);
  }
}
