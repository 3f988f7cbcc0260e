package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.BankRegisters.*;

import dev.doorbell.address.Granule;
import dev.doorbell.bits.Field;
import dev.doorbell.vmsa.Regime;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import java.util.Optional;

/// Makes a {@link BankContext} of registers.
///
/// Combinations that the manual leaves UNPREDICTABLE (sizes and start levels that make no tables) disable the half, so that every access of it
/// is a translation fault.
///
/// **Source** IHI 0062 D.c, 10.2.1 to 10.2.3, 16.5 (a stage 1 bank; a stage 2 bank is by its registers' names).
record BankDecoder(SmmuV2Features features) {
  private static final int SIGN = 16;

  /// {@return the bank, as these registers have it}
  ///
  /// @param gr1 page 1
  /// @param page of the bank
  BankContext decode(int number, RegisterPage gr1, RegisterPage page) {
    long cbar = gr1.get(Gr1Registers.CBAR, number);
    long cba2r = gr1.get(Gr1Registers.CBA2R, number);
    boolean is64 = features.major() >= 2 && Gr1Registers.CBA2R_VA64.isSet(cba2r);
    int type = Gr1Registers.CBAR_TYPE.getInt(cbar);
    if (type != Gr1Registers.TYPE_S2
        && number < Gr0Registers.IDR1_NUMS2CB.getInt(features.idr1())) {
      // The first banks know stage 2 only.
      type = Gr1Registers.TYPE_S1_S2_FAULT;
    }
    long sctlr = page.get(SCTLR);
    boolean second = type == Gr1Registers.TYPE_S2;
    Regime low;
    if (second) {
      low = stage2(page, is64);
    } else {
      low = is64 ? stage1(page, false) : stage1Long(page);
    }
    Regime high = second || !is64 ? Regime.DISABLED : stage1(page, true);
    return new BankContext(
        number,
        type,
        Gr1Registers.CBAR_CBNDX.getInt(cbar),
        SCTLR_M.isSet(sctlr),
        is64 ? BankContext.FORMAT_AARCH64 : BankContext.FORMAT_AARCH32_LONG,
        second ? 0 : asid(page, is64),
        Gr1Registers.CBAR_VMID.getInt(cbar),
        low,
        high,
        SCTLR_AFFD.isSet(sctlr));
  }

  private static int asid(RegisterPage page, boolean is64) {
    long tcr = page.get(TCR);
    long ttbr = page.get(TCR_A1.isSet(tcr) ? TTBR1 : TTBR0);
    int asid = (is64 ? TTBR_ASID : TTBR32_ASID).getInt(ttbr);
    // Without AS numbers have 8 bits.
    return is64 && !TCR2_AS.isSet(page.get(TCR2)) ? asid & TTBR32_ASID_MAX : asid;
  }

  private static final int TTBR32_ASID_MAX = (int) TTBR32_ASID.max();

  private Regime stage1(RegisterPage page, boolean upper) {
    long tcr = page.get(TCR);
    long tcr2 = page.get(TCR2);
    Field disable = upper ? TCR_EPD1 : TCR_EPD0;
    Optional<Granule> granule =
        upper
            ? VmsaGeometry.decodeTg1(TCR_TG1.getInt(tcr))
            : VmsaGeometry.decodeTg0(TCR_TG0.getInt(tcr));
    int input = Long.SIZE - (upper ? TCR_T1SZ : TCR_T0SZ).getInt(tcr);
    if (disable.isSet(tcr) || granule.isEmpty() || !has(granule.get())) {
      return Regime.DISABLED;
    }
    int output = Math.min(VmsaGeometry.decodeSize(TCR2_PASIZE.getInt(tcr2)), features.ipaBits());
    if (input < VmsaGeometry.MIN_INPUT_BITS || input > VmsaGeometry.MAX_INPUT_BITS) {
      return Regime.DISABLED;
    }
    int shift = granule.get().shift();
    return new Regime(
        true,
        input,
        shift,
        Regime.stage1Start(input, shift),
        TTBR_BADDR.get(page.get(upper ? TTBR1 : TTBR0)),
        output,
        (upper ? TCR2_TBI1 : TCR2_TBI0).isSet(tcr2),
        false);
  }

  private Regime stage1Long(RegisterPage page) {
    long tcr = page.get(TCR);
    if (TCR32_EPD0.isSet(tcr) || !TCR32_EAE.isSet(tcr)) {
      return Regime.DISABLED;
    }
    int input = Integer.SIZE - TCR32_T0SZ.getInt(tcr);
    int shift = Granule.K4.shift();
    return new Regime(
        true,
        input,
        shift,
        Regime.stage1Start(input, shift),
        TTBR32_BADDR.get(page.get(TTBR0)),
        features.ipaBits(),
        false,
        false);
  }

  private Regime stage2(RegisterPage page, boolean is64) {
    long tcr = page.get(TCR);
    Granule granule = Granule.K4;
    int input;
    int output = features.outputBits();
    if (is64) {
      Optional<Granule> wanted = VmsaGeometry.decodeTg0(VTCR_TG0.getInt(tcr));
      if (wanted.isEmpty() || !has(wanted.get())) {
        return Regime.DISABLED;
      }
      granule = wanted.get();
      input = Long.SIZE - VTCR_T0SZ.getInt(tcr);
      output = Math.min(output, VmsaGeometry.decodeSize(VTCR_PASIZE.getInt(tcr)));
    } else {
      int size = VTCR32_T0SZ.getInt(tcr);
      input = Integer.SIZE - (VTCR32_S.isSet(tcr) ? size - SIGN : size);
    }
    int start = VmsaGeometry.decodeSl0(granule, VTCR_SL0.getInt(tcr));
    if (start < 0
        || VmsaGeometry.problem(granule, Stage.STAGE2, input, output, start).isPresent()) {
      return Regime.DISABLED;
    }
    return new Regime(
        true, input, granule.shift(), start, TTBR_BADDR.get(page.get(TTBR0)), output, false, false);
  }

  private boolean has(Granule granule) {
    Field field =
        switch (granule.shift()) {
          case 12 -> Gr0Registers.IDR2_PTFSV8_4KB;
          case 14 -> Gr0Registers.IDR2_PTFSV8_16KB;
          default -> Gr0Registers.IDR2_PTFSV8_64KB;
        };
    return field.isSet(features.idr2());
  }
}
