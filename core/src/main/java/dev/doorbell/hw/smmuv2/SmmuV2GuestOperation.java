package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.BankRegisters.*;

import dev.doorbell.bits.Register;
import dev.doorbell.iommu.GuestRefused;
import java.util.Map;
import java.util.Optional;

/// An invalidation as a guest wrote it: a register of its context bank, or of its global space, and the operand. The host executes it in the bank
/// that the guest's stream has, so that it reaches nothing of others: the VMID is that of the stage 2 behind it.
///
/// Of a context bank SMMU_CBn_TLBIVA, TLBIVAA, TLBIASID, TLBIALL, TLBIVAL and TLBIVAAL are taken; of the global space SMMU_TLBIVMID, TLBIVMIDS1 and TLBIALLNSNH, which drop all
/// of the guest's stage 1. SMMU_CBn_TLBSYNC and SMMU_sTLBGSYNC are the monitor's to answer when this is done.
///
/// @param register of {@link BankRegisters} or {@link Gr0Registers}
/// @param operand what the guest wrote
///
/// **Source** IHI 0062 D.c, 4.5, 9.6.35, 9.6.36, 16.5.
public record SmmuV2GuestOperation(Register register, long operand) {
  private static final GuestRefused.Rule RULE =
      new GuestRefused.Rule("IHI 0062 4.5", "carry it out in the monitor");

  /// Operations on last levels, which came with version 2, and those that do at least as much.
  private static final Map<Register, Register> BEFORE_VERSION_2 =
      Map.of(TLBIVAL, TLBIVA, TLBIVAAL, TLBIVAA);

  /// {@return the register of the host's bank to write; empty for all of the guest's stage 1}
  ///
  /// @throws GuestRefused when it is none of those
  Optional<Register> forHost(String smmu, SmmuV2Probe probe) {
    if (dropsAll(register)) {
      return Optional.empty();
    }
    if (!isStage1(register)) {
      throw new GuestRefused(
          smmu,
          "write of 0x%x to %s: it is no invalidation of stage 1"
              .formatted(operand, register.name()),
          RULE);
    }
    return Optional.of(
        probe.version() == 2 ? register : BEFORE_VERSION_2.getOrDefault(register, register));
  }

  private static boolean dropsAll(Register register) {
    return register == Gr0Registers.TLBIVMID
        || register == Gr0Registers.TLBIVMIDS1
        || register == Gr0Registers.TLBIALLNSNH;
  }

  private static boolean isStage1(Register register) {
    return register == TLBIVA
        || register == TLBIVAA
        || register == TLBIASID
        || register == TLBIALL
        || register == TLBIVAL
        || register == TLBIVAAL;
  }
}
