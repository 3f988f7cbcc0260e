package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;

/// What an AMD IOMMU model has: the content of ExtFeature. Bits of features that the model lacks are cleared: segmented device tables, dual logs, and others.
///
/// **Source** 48882 revision 3.09, 3.4.2 IOMMU Extended Feature Register.
///
/// @param extFeature HATS, PPRSup, XTSup, IASup, GASup, GAMSup, HESup, and of guest tables GTSup, GATS, GLXSup, PASMax and GIoSup count
public record AmdViFeatures(long extFeature) {
  private static final long KNOWN =
      AmdViRegisters.HATS.mask()
          | AmdViRegisters.PPR_SUP.mask()
          | AmdViRegisters.XT_SUP.mask()
          | AmdViRegisters.IA_SUP.mask()
          | AmdViRegisters.GA_SUP.mask()
          | AmdViRegisters.GAM_SUP.mask()
          | AmdViRegisters.HE_SUP.mask();

  /// Without GTSup the others say nothing.
  private static final long GUEST =
      AmdViRegisters.GT_SUP.mask()
          | AmdViRegisters.GATS.mask()
          | AmdViRegisters.GLX_SUP.mask()
          | AmdViRegisters.PAS_MAX.mask()
          | AmdViRegisters.GIO_SUP.mask();

  /// PASIDs of 20 bits, which PASMax states as one less.
  private static final int PASID_BITS = 19;

  /// GATS: guest tables of five levels.
  private static final int FIVE_LEVELS = 1;

  private static final int FOUR_LEVELS = 4;

  /// GLXSup: three levels of guest CR3 tables.
  private static final int MOST_GLX = 2;

  /// HATS of six levels.
  private static final int SIX_LEVELS = 2;

  public AmdViFeatures {
    extFeature &= AmdViRegisters.GT_SUP.isSet(extFeature) ? KNOWN | GUEST : KNOWN;
  }

  /// {@return all that the model knows: six levels, 128-bit interrupt table entries, x2APIC, INVALIDATE_IOMMU_ALL, hardware event registers, page requests, guest tables
  /// of four and five levels, PASIDs of 20 bits}
  public static AmdViFeatures all() {
    return new AmdViFeatures(
        AmdViRegisters.HATS.place(SIX_LEVELS)
            | AmdViRegisters.GT_SUP.place(1)
            | AmdViRegisters.GATS.place(FIVE_LEVELS)
            | AmdViRegisters.GLX_SUP.place(MOST_GLX)
            | AmdViRegisters.PAS_MAX.place(PASID_BITS)
            | AmdViRegisters.GIO_SUP.place(1)
            | AmdViRegisters.PPR_SUP.place(1)
            | AmdViRegisters.XT_SUP.place(1)
            | AmdViRegisters.IA_SUP.place(1)
            | AmdViRegisters.GA_SUP.place(1)
            | AmdViRegisters.GAM_SUP.place(AmdViRegisters.GAM_GUEST)
            | AmdViRegisters.HE_SUP.place(1));
  }

  /// {@return these features with one of them changed}
  public AmdViFeatures with(Field field, long value) {
    return new AmdViFeatures(field.with(extFeature, value));
  }

  boolean has(Field field) {
    return field.isSet(extFeature);
  }

  /// {@return the most levels of host page tables}
  int levels() {
    return Math.min(
        AmdViRegisters.LEAST_LEVELS + AmdViRegisters.HATS.getInt(extFeature),
        DteLayout.MOST_LEVELS);
  }

  /// {@return the most levels of guest page tables}
  int guestLevels() {
    return FOUR_LEVELS + AmdViRegisters.GATS.getInt(extFeature);
  }

  /// {@return the most levels of guest CR3 tables but one}
  int pasidLevels() {
    return Math.min(AmdViRegisters.GLX_SUP.getInt(extFeature), MOST_GLX);
  }

  /// {@return the bits of Control that can be set}
  long control() {
    long bits =
        AmdViRegisters.IOMMU_EN.mask()
            | AmdViRegisters.HT_TUN_EN.mask()
            | AmdViRegisters.EVENT_LOG_EN.mask()
            | AmdViRegisters.EVENT_INT_EN.mask()
            | AmdViRegisters.COM_WAIT_INT_EN.mask()
            | AmdViRegisters.INV_TIME_OUT.mask()
            | AmdViRegisters.PASS_PW.mask()
            | AmdViRegisters.RES_PASS_PW.mask()
            | AmdViRegisters.COHERENT.mask()
            | AmdViRegisters.ISOC.mask()
            | AmdViRegisters.CMD_BUF_EN.mask();
    bits |= has(AmdViRegisters.GT_SUP) ? AmdViRegisters.GT_EN.mask() : 0;
    bits |=
        has(AmdViRegisters.PPR_SUP)
            ? AmdViRegisters.PPR_EN.mask()
                | AmdViRegisters.PPR_LOG_EN.mask()
                | AmdViRegisters.PPR_INT_EN.mask()
            : 0;
    bits |= has(AmdViRegisters.GA_SUP) ? AmdViRegisters.GA_EN.mask() : 0;
    bits |=
        AmdViRegisters.GAM_SUP.getInt(extFeature) == AmdViRegisters.GAM_GUEST
            ? AmdViRegisters.GAM_EN.mask()
                | AmdViRegisters.GA_LOG_EN.mask()
                | AmdViRegisters.GA_INT_EN.mask()
            : 0;
    bits |=
        has(AmdViRegisters.XT_SUP)
            ? AmdViRegisters.XT_EN.mask() | AmdViRegisters.INT_CAP_XT_EN.mask()
            : 0;
    return bits;
  }
}
