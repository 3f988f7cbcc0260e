package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;

/// What an AMD IOMMU model has: the content of ExtFeature. Bits of features that the model lacks are cleared: PPR, guest translation, guest
/// virtual APIC modes, segmented device tables.
///
/// **Source** 48882 revision 3.09, 3.4.2 IOMMU Extended Feature Register.
///
/// @param extFeature HATS, XTSup, IASup, GASup and HESup count
public record AmdViFeatures(long extFeature) {
  private static final long KNOWN =
      AmdViRegisters.HATS.mask()
          | AmdViRegisters.XT_SUP.mask()
          | AmdViRegisters.IA_SUP.mask()
          | AmdViRegisters.GA_SUP.mask()
          | AmdViRegisters.HE_SUP.mask();

  /// HATS of six levels.
  private static final int SIX_LEVELS = 2;

  public AmdViFeatures {
    extFeature &= KNOWN;
  }

  /// {@return all that the model knows: six levels, 128-bit interrupt table entries, x2APIC, INVALIDATE_IOMMU_ALL, hardware event registers}
  public static AmdViFeatures all() {
    return new AmdViFeatures(
        AmdViRegisters.HATS.place(SIX_LEVELS)
            | AmdViRegisters.XT_SUP.place(1)
            | AmdViRegisters.IA_SUP.place(1)
            | AmdViRegisters.GA_SUP.place(1)
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
    bits |= has(AmdViRegisters.GA_SUP) ? AmdViRegisters.GA_EN.mask() : 0;
    bits |=
        has(AmdViRegisters.XT_SUP)
            ? AmdViRegisters.XT_EN.mask() | AmdViRegisters.INT_CAP_XT_EN.mask()
            : 0;
    return bits;
  }
}
