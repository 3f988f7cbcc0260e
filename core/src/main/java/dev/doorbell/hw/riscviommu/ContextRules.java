package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;
import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Field;
import dev.doorbell.iommu.TableTrail;

/// Why an IOMMU takes a device context for misconfigured, as the walker tells it.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.1.4 (device-context configuration checks).
///
/// @param capabilities the register
/// @param context the doublewords
record ContextRules(long capabilities, long[] context) {
  private static final int MOST_MODE = 15;
  private static final int ROOT_PAGES = 1 << SvPteLayout.WIDER_ROOT_BITS;

  /// {@return the first rule that is broken, or nothing}
  String broken() {
    String why = control(word(TC_AT));
    if (why.isEmpty()) {
      why = stages();
    }
    return why.isEmpty() && context.length > BASE_BYTES / Long.BYTES ? messages() : why;
  }

  private long word(int at) {
    return context[at / Long.BYTES];
  }

  private String control(long tc) {
    if (!ATS.isSet(capabilities)
        && (TC_EN_ATS.isSet(tc) || TC_EN_PRI.isSet(tc) || TC_PRPR.isSet(tc))) {
      return "EN_ATS, EN_PRI or PRPR is set, and capabilities.ATS is 0";
    }
    if (!TC_EN_ATS.isSet(tc) && (TC_T2GPA.isSet(tc) || TC_EN_PRI.isSet(tc))) {
      return "T2GPA or EN_PRI is set without EN_ATS";
    }
    if (TC_PRPR.isSet(tc) && !TC_EN_PRI.isSet(tc)) {
      return "PRPR is set without EN_PRI";
    }
    if (TC_T2GPA.isSet(tc)
        && (!T2GPA.isSet(capabilities) || IOHGATP_MODE.get(word(IOHGATP_AT)) == BARE)) {
      return "T2GPA is set, and capabilities.T2GPA is 0 or iohgatp.MODE Bare";
    }
    if (TC_DPE.isSet(tc) && !TC_PDTV.isSet(tc)) {
      return "DPE is set without PDTV";
    }
    if (!AMO_HWAD.isSet(capabilities) && (TC_GADE.isSet(tc) || TC_SADE.isSet(tc))) {
      return "GADE or SADE is set, and capabilities.AMO_HWAD is 0";
    }
    if (TC_SBE.isSet(tc) && !END.isSet(capabilities)) {
      return "SBE is set, and capabilities.END is 0";
    }
    return "";
  }

  private String stages() {
    long ta = word(TA_AT);
    boolean qos = QOSID.isSet(capabilities);
    if ((ta & TA.mask(BitKind.RES0)) != 0
        || !qos && (TA_RCID.get(ta) != 0 || TA_MCID.get(ta) != 0)) {
      return "ta has reserved bits: " + TableTrail.print(TA, ta);
    }
    long fsc = word(FSC_AT);
    int first = FSC_MODE.getInt(fsc);
    if ((fsc & FSC.mask(BitKind.RES0)) != 0) {
      return "fsc has reserved bits: " + TableTrail.print(FSC, fsc);
    }
    boolean directory = TC_PDTV.isSet(word(TC_AT));
    if (directory ? !offersDirectory(first) : !offersFirstStage(capabilities, first)) {
      return "fsc.MODE %d is none that capabilities offer".formatted(first);
    }
    long gatp = word(IOHGATP_AT);
    int second = IOHGATP_MODE.getInt(gatp);
    if (!offers(capabilities, second, SV39X4_48X4_57X4)) {
      return "iohgatp.MODE %d is none that capabilities offer".formatted(second);
    }
    return second != BARE && IOHGATP_PPN.get(gatp) % ROOT_PAGES != 0
        ? "iohgatp.PPN is not aligned to 16 KiB"
        : "";
  }

  private static final Field[] SV39_48_57 = {
    RiscvIommuRegisters.SV39, RiscvIommuRegisters.SV48, RiscvIommuRegisters.SV57
  };
  private static final Field[] SV39X4_48X4_57X4 = {SV39X4, SV48X4, SV57X4};

  /// {@return whether a mode of first stages is one that `capabilities` offer}
  static boolean offersFirstStage(long capabilities, int mode) {
    return offers(capabilities, mode, SV39_48_57);
  }

  private static boolean offers(long capabilities, int mode, Field[] widths) {
    int which = mode - DirectoryLayout.SV39;
    return mode == BARE || which >= 0 && which < widths.length && widths[which].isSet(capabilities);
  }

  private boolean offersDirectory(int mode) {
    return switch (mode) {
      case BARE -> true;
      case ProcessLayout.PD8 -> PD8.isSet(capabilities);
      case ProcessLayout.PD17 -> PD17.isSet(capabilities);
      case ProcessLayout.PD20 -> PD20.isSet(capabilities);
      default -> false;
    };
  }

  private String messages() {
    long msiptp = word(MSIPTP_AT);
    long mode = MSIPTP_MODE.get(msiptp);
    if ((msiptp & MSIPTP.mask(BitKind.RES0)) != 0
        || mode != MSI_OFF && mode != DirectoryLayout.MSI_FLAT) {
      return "msiptp has a reserved mode or reserved bits: " + TableTrail.print(MSIPTP, msiptp);
    }
    if (mode != MSI_OFF && IOHGATP_MODE.get(word(IOHGATP_AT)) == BARE) {
      return "msiptp.MODE is Flat and iohgatp.MODE Bare";
    }
    int bits = pageNumberBits();
    if (!SvPteLayout.fits(word(MSI_MASK_AT), bits)
        || !SvPteLayout.fits(word(MSI_PATTERN_AT), bits)) {
      return "msi_addr_mask or msi_addr_pattern has more than %d bits".formatted(bits);
    }
    return word(RESERVED_AT) == 0 ? "" : "the eighth doubleword is reserved and not zero";
  }

  /// {@return bits of a guest physical page's number: of the widest second stage, and of physical addresses where there is none}
  private int pageNumberBits() {
    int address = PAS.getInt(capabilities);
    for (int mode = DirectoryLayout.SV39; mode <= MOST_MODE; mode++) {
      if (offers(capabilities, mode, SV39X4_48X4_57X4)) {
        address = SvPteLayout.shift(SvPteLayout.levels(mode)) + SvPteLayout.WIDER_ROOT_BITS;
      }
    }
    return address - PAGE_SHIFT;
  }
}
