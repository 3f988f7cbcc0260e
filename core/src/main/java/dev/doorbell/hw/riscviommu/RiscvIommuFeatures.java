package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

/// What a model has.
///
/// @param capabilities the register
/// @param cachedTranslations entries of the translation cache, a power of two
public record RiscvIommuFeatures(long capabilities, int cachedTranslations) {
  private static final int CACHED = 1024;
  private static final int LEAST_PAS = 32;
  private static final int MOST_PAS = 52;

  /// {@return all that the model can do}: both stages of three widths, process directories, MSI page tables with interrupt files in memory, messages of its own, debug translations
  ///
  /// @param outputBits width of physical addresses
  public static RiscvIommuFeatures usual(int outputBits) {
    return new RiscvIommuFeatures(
        VERSION.place(VERSION_1_0)
            | SV39.mask()
            | SV48.mask()
            | SV57.mask()
            | SVPBMT.mask()
            | SV39X4.mask()
            | SV48X4.mask()
            | SV57X4.mask()
            | MSI_FLAT.mask()
            | MSI_MRIF.mask()
            | AMO_MRIF.mask()
            | DBG.mask()
            | PD8.mask()
            | PD17.mask()
            | PD20.mask()
            | IGS.place(IGS_MSI)
            | PAS.place(Math.clamp(outputBits, LEAST_PAS, MOST_PAS)),
        CACHED);
  }

  /// {@return these features with translation requests and page requests of devices: `capabilities.ATS`}
  public RiscvIommuFeatures withAts() {
    return new RiscvIommuFeatures(capabilities | ATS.mask(), cachedTranslations);
  }

  /// {@return these features with A and D bits that the hardware sets itself where contexts ask for it: `capabilities.AMO_HWAD`}
  public RiscvIommuFeatures withUpdates() {
    return new RiscvIommuFeatures(capabilities | AMO_HWAD.mask(), cachedTranslations);
  }

  /// {@return these features with translation requests that can be answered by guest physical addresses: `capabilities.ATS` and `capabilities.T2GPA`}
  public RiscvIommuFeatures withT2gpa() {
    return new RiscvIommuFeatures(capabilities | ATS.mask() | T2GPA.mask(), cachedTranslations);
  }

  /// {@return these features with counters of events: `capabilities.HPM`}
  public RiscvIommuFeatures withCounters() {
    return new RiscvIommuFeatures(capabilities | HPM.mask(), cachedTranslations);
  }

  /// {@return these features with bits of `capabilities` taken away}
  public RiscvIommuFeatures without(long bits) {
    return new RiscvIommuFeatures(capabilities & ~bits, cachedTranslations);
  }

  /// {@return whether device contexts have the extended format}
  public boolean extended() {
    return MSI_FLAT.isSet(capabilities);
  }

  int outputBits() {
    return PAS.getInt(capabilities);
  }

  boolean firstStage(int mode) {
    return switch (mode) {
      case DirectoryLayout.BARE -> true;
      case DirectoryLayout.SV39 -> SV39.isSet(capabilities);
      case DirectoryLayout.SV48 -> SV48.isSet(capabilities);
      case DirectoryLayout.SV57 -> SV57.isSet(capabilities);
      default -> false;
    };
  }

  boolean secondStage(int mode) {
    return switch (mode) {
      case DirectoryLayout.BARE -> true;
      case DirectoryLayout.SV39 -> SV39X4.isSet(capabilities);
      case DirectoryLayout.SV48 -> SV48X4.isSet(capabilities);
      case DirectoryLayout.SV57 -> SV57X4.isSet(capabilities);
      default -> false;
    };
  }

  boolean processDirectory(int mode) {
    return switch (mode) {
      case ProcessLayout.BARE -> true;
      case ProcessLayout.PD8 -> PD8.isSet(capabilities);
      case ProcessLayout.PD17 -> PD17.isSet(capabilities);
      case ProcessLayout.PD20 -> PD20.isSet(capabilities);
      default -> false;
    };
  }

  /// {@return width of the widest process_id; 0 without process directories}
  int processIdBits() {
    for (int mode = ProcessLayout.PD20; mode > ProcessLayout.BARE; mode--) {
      if (processDirectory(mode)) {
        return ProcessLayout.processIdBits(mode);
      }
    }
    return 0;
  }

  /// {@return width of guest physical addresses, which bounds `msi_addr_mask` and `msi_addr_pattern`}
  int guestBits() {
    int widest =
        SV57X4.isSet(capabilities)
            ? DirectoryLayout.SV57
            : SV48X4.isSet(capabilities) ? DirectoryLayout.SV48 : DirectoryLayout.SV39;
    boolean any = widest != DirectoryLayout.SV39 || SV39X4.isSet(capabilities);
    return any
        ? SvPteLayout.shift(SvPteLayout.levels(widest)) + SvPteLayout.WIDER_ROOT_BITS
        : outputBits();
  }
}
