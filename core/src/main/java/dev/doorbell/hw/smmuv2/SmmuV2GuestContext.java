package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.BankRegisters.*;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.iommu.GuestRefused;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A context bank of stage 1, as a guest wrote its registers: its own tables, which the SMMU reads by way of the host's stage 2.
///
/// What a guest decides of SMMU_CBn_SCTLR is M, TRE, AFE, AFFD, WXN, UWXN and the attributes of accesses that it does not translate; how faults are told
/// (CFRE, CFIE, CFCFG, HUPCF) and whether broadcasts are taken over (ASIDPNE) is the host's, whatever the guest wrote: nobody resumes what
/// stalls. So is SMMU_CBn_TCR2.SEP, as it tells of the device. Numbers of address spaces (ASIDs) are the guest's, as its VMID keeps them
/// apart from others'. All else must be zero.
///
/// @param is64 SMMU_CBA2Rn.VA64: tables of AArch64, else long descriptors of AArch32
/// @param registers contents of SCTLR, TCR, TCR2, TTBR0, TTBR1, MAIR0 and MAIR1 of {@link BankRegisters}; one that is not there is zero
///
/// **Source** IHI 0062 D.c, 2.5, 16.5.
public record SmmuV2GuestContext(boolean is64, Map<Register, Long> registers) {
  private static final GuestRefused.Rule RULE =
      new GuestRefused.Rule(
          "IHI 0062 16.5", "show the guest an SMMU without that feature, and block the stream");

  private static final Set<Register> KNOWN = Set.of(SCTLR, TCR, TCR2, TTBR0, TTBR1, MAIR0, MAIR1);

  private static final long GUESTS_SCTLR =
      masks(
          SCTLR_M,
          SCTLR_TRE,
          SCTLR_AFE,
          SCTLR_AFFD,
          SCTLR_WXN,
          SCTLR_UWXN,
          SCTLR_TRANSIENTCFG,
          SCTLR_MEM_ATTR,
          SCTLR_MTCFG,
          SCTLR_SHCFG,
          SCTLR_RACFG,
          SCTLR_WACFG);
  private static final long HOSTS_SCTLR =
      masks(SCTLR_CFRE, SCTLR_CFIE, SCTLR_CFCFG, SCTLR_HUPCF, SCTLR_ASIDPNE);
  private static final long GUESTS_TCR2 = masks(TCR2_PASIZE, TCR2_AS, TCR2_TBI0, TCR2_TBI1);
  private static final long GUESTS_TCR =
      masks(
          TCR_T0SZ, TCR_EPD0, TCR_IRGN0, TCR_ORGN0, TCR_SH0, TCR_TG0, TCR_T1SZ, TCR_A1, TCR_EPD1,
          TCR_IRGN1, TCR_ORGN1, TCR_SH1, TCR_TG1);
  private static final long GUESTS_TCR32 =
      masks(
          TCR32_T0SZ,
          TCR32_EPD0,
          TCR_IRGN0,
          TCR_ORGN0,
          TCR_SH0,
          TCR32_T1SZ,
          TCR32_A1,
          TCR32_EPD1,
          TCR_IRGN1,
          TCR_ORGN1,
          TCR_SH1,
          TCR32_EAE);

  /// @throws IllegalArgumentException when another register is given
  public SmmuV2GuestContext {
    registers = Map.copyOf(registers);
    if (!KNOWN.containsAll(registers.keySet())) {
      throw new IllegalArgumentException(
          "a guest's context bank is told by %s, not by %s"
              .formatted(names(KNOWN), names(registers.keySet())));
    }
  }

  private static List<String> names(Set<Register> of) {
    return of.stream().map(Register::name).sorted().toList();
  }

  long get(Register register) {
    return registers.getOrDefault(register, 0L);
  }

  /// @throws GuestRefused when the guest asks for what is not its own, or what the SMMU has not
  void check(String smmu, SmmuV2Probe probe) {
    long sctlr = get(SCTLR);
    long tcr = get(TCR);
    long tcr2 = get(TCR2);
    refuse(smmu, "SMMU_CBn_SCTLR", sctlr, sctlr & ~(GUESTS_SCTLR | HOSTS_SCTLR));
    if (!SCTLR_M.isSet(sctlr)) {
      // Nothing is translated: the registers of tables say nothing.
      return;
    }
    refuse(
        smmu,
        "SMMU_CBA2Rn (no such tables)",
        is64 ? 1 : 0,
        has(probe) ? 0 : Gr1Registers.CBA2R_VA64.mask());
    refuse(smmu, "SMMU_CBn_TCR", tcr, tcr & ~(is64 ? GUESTS_TCR : GUESTS_TCR32));
    refuse(
        smmu,
        "SMMU_CBn_TCR (EAE=0: short descriptors)",
        tcr,
        is64 || TCR32_EAE.isSet(tcr) ? 0 : TCR32_EAE.mask());
    refuse(smmu, "SMMU_CBn_TCR2", tcr2, tcr2 & ~(GUESTS_TCR2 | TCR2_SEP.mask()));
  }

  private boolean has(SmmuV2Probe probe) {
    return is64 ? probe.is64() : probe.longTables();
  }

  /// {@return SMMU_CBn_SCTLR with the host's part of it}
  ///
  /// @param hosts what the host has there for its own banks
  long sctlr(long hosts) {
    return get(SCTLR) & GUESTS_SCTLR | hosts & HOSTS_SCTLR;
  }

  /// {@return SMMU_CBn_TCR2 with the host's part of it}
  long tcr2(int upstream) {
    return is64 ? get(TCR2) & GUESTS_TCR2 | TCR2_SEP.place(upstream) : 0;
  }

  private static void refuse(String smmu, String what, long value, long bits) {
    GuestRefused.ifAny(bits, smmu, "context bank: " + what, value, RULE);
  }

  private static long masks(Field... fields) {
    long mask = 0;
    for (Field field : fields) {
      mask |= field.mask();
    }
    return mask;
  }
}
