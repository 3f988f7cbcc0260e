package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

/// What a model of a remapping unit has: the contents of its capability registers.
public final class VtdFeatures {
  private static final int FIVE_LEVELS = 57;
  private static final int FOUR_LEVELS = 48;
  private static final int THREE_LEVELS = 39;
  private static final int LARGE_PAGES = 0b0011;
  private static final int DOMAINS_64K = 6;
  private static final int MOST_MASK = 18;
  private static final int PASID_BITS = 20;

  private final long cap;
  private final long ecap;

  private VtdFeatures(long cap, long ecap) {
    this.cap = cap;
    this.ecap = ecap;
  }

  /// {@return the same with scalable mode: PASIDs of 20 bits, both stages and the first by the second, A and D in both, pages of 1 GiB, and
  /// five levels where the second stage has them}
  public VtdFeatures withScalableMode() {
    VtdFeatures both = withScalableMode(true, true);
    return new VtdFeatures(
        both.cap,
        both.ecap
            | NEST.mask()
            | SSADS.mask()
            | RPS.mask()
            | PASID.mask()
            | PSS.place(PASID_BITS - 1L));
  }

  /// {@return the same with scalable mode for requests without a PASID, by one stage at a time, of which the second sets neither A nor D}
  ///
  /// @param first whether there is the first stage
  /// @param second whether there is the second stage
  public VtdFeatures withScalableMode(boolean first, boolean second) {
    boolean five = MGAW.get(cap) + 1 > FOUR_LEVELS;
    long stages = (first ? FSTS.mask() : 0) | (second ? SSTS.mask() : 0);
    return new VtdFeatures(
        cap | (first ? FS1GP.mask() | (five ? FS5LP.mask() : 0) : 0),
        ecap | SMTS.mask() | SRS.mask() | stages);
  }

  /// {@return whether a context entry says by which PASID requests without one go; else it is 0}
  boolean hasRidPasid() {
    return RPS.isSet(ecap);
  }

  /// {@return whether requests can be translated as a PASID table entry says}
  boolean has(PasidCaches.Entry e) {
    boolean first =
        FSTS.isSet(ecap)
            && (e.firstLevels() == PasidLayout.FEWEST_FIRST_STAGE_LEVELS
                || e.firstLevels() == PasidLayout.FEWEST_FIRST_STAGE_LEVELS + 1
                    && FS5LP.isSet(cap));
    boolean second =
        SSTS.isSet(ecap)
            && (SAGAW.get(cap) >>> e.secondLevels() - SAGAW_FEWEST_LEVELS & 1) != 0
            && (SSADS.isSet(ecap) || !e.marksSecond());
    return switch (e.type()) {
      case PasidLayout.FIRST_STAGE -> first;
      case PasidLayout.SECOND_STAGE -> second;
      case PasidLayout.NESTED -> first && second && NEST.isSet(ecap);
      case PasidLayout.PASS_THROUGH -> PT.isSet(ecap);
      default -> false;
    };
  }

  /// {@return bits of an address that passes untranslated: no more than memory's have}
  int passedBits() {
    return Math.min(MGAW.getInt(cap) + 1, PagingLayout.MEMORY_BITS);
  }

  /// {@return whether the second stage has pages at a level}
  boolean hasSecondPage(int level) {
    return level == 1
        || level <= PagingLayout.LARGEST_PAGE_LEVEL && (SSLPS.get(cap) >>> level - 2 & 1) != 0;
  }

  /// {@return CAP_REG}
  long cap() {
    return cap;
  }

  /// {@return ECAP_REG}
  long ecap() {
    return ecap;
  }

  /// {@return legacy mode, queued invalidation, pages of 4 KiB, 2 MiB and 1 GiB, and pass-through; what is not present is not cached}
  ///
  /// @param inputBits width of an IOVA, 39 to 57
  /// @param remapping whether interrupts can be remapped, with 32-bit destinations, and posted
  public static VtdFeatures of(int inputBits, boolean remapping) {
    int levels = inputBits > FOUR_LEVELS ? 0b1100 : inputBits > THREE_LEVELS ? 0b0110 : 0b0010;
    int bits = Math.clamp(inputBits, THREE_LEVELS, FIVE_LEVELS);
    long cap =
        ND.place(DOMAINS_64K)
            | SAGAW.place(levels)
            | MGAW.place(bits - 1L)
            | FRO.place(FRCD_REG.offset() / OFFSET_UNIT)
            | SSLPS.place(LARGE_PAGES)
            | PSI.mask()
            | NFR.place(FAULT_RECORDS - 1L)
            | MAMV.place(MOST_MASK)
            | DWD.mask()
            | DRD.mask();
    long ecap = C.mask() | QI.mask() | PT.mask() | IRO.place(IVA_REG.offset() / OFFSET_UNIT);
    long remaps = IR.mask() | EIM.mask() | MHMV.place(MHMV.max());
    return remapping ? new VtdFeatures(cap | PI.mask(), ecap | remaps) : new VtdFeatures(cap, ecap);
  }
}
