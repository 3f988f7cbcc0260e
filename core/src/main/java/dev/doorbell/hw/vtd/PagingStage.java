package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.PagingLayout.*;

import dev.doorbell.iommu.TableTrail;
import java.util.Optional;

/// How entries of one stage's tables are read.
enum PagingStage {
  FIRST("first stage"),
  SECOND("second stage"),
  /// The second stage in legacy mode, which differs in the codes of its faults.
  LEGACY_SECOND("second stage");

  /// Levels of the first stage when FSPM is 0.
  static final int FEWEST_FIRST_STAGE_LEVELS = 4;

  private final String printed;

  PagingStage(String printed) {
    this.printed = printed;
  }

  String printed() {
    return printed;
  }

  /// {@return the bits above the width that should not be there}
  long canonical(long address, int width) {
    long high = this == FIRST ? address >> width - 1 : address >>> width;
    return this == FIRST && high == -1L ? 0 : high;
  }

  /// {@return the fault of an address with bits that should not be there}
  VtdFault beyond() {
    return switch (this) {
      case FIRST -> VtdFault.SM_NOT_CANONICAL;
      case SECOND -> VtdFault.SM_SECOND_BEYOND_WIDTH;
      case LEGACY_SECOND -> VtdFault.BEYOND_WIDTH;
    };
  }

  /// {@return the fault of an entry that names tables of this stage which cannot be}
  VtdFault invalid() {
    return this == LEGACY_SECOND ? VtdFault.CONTEXT_INVALID : VtdFault.SM_PASID_INVALID;
  }

  long address(long entry) {
    return this == FIRST ? FS_ADDRESS.get(entry) : ADDRESS.get(entry);
  }

  boolean isPage(long entry) {
    return this == FIRST ? FS_PS.isSet(entry) : PS.isSet(entry);
  }

  String print(long entry) {
    return TableTrail.print(this == FIRST ? FIRST_STAGE : SECOND_STAGE, entry);
  }

  /// {@return why an entry does not let an access through}
  Optional<String> fault(long entry, boolean write) {
    boolean legacy = this == LEGACY_SECOND;
    if (this == FIRST) {
      return !P.isSet(entry)
          ? Optional.of(VtdFault.SM_FIRST_NOT_PRESENT.because("the entry is not present (P=0)"))
          : write && !RW.isSet(entry)
              ? Optional.of(VtdFault.SM_WRITE.because("the entry does not allow writes (R/W=0)"))
              : Optional.empty();
    }
    if (write && !W.isSet(entry)) {
      VtdFault fault = legacy ? VtdFault.WRITE : VtdFault.SM_SECOND_PERMISSION;
      return Optional.of(fault.because("the entry does not allow writes (W=0)"));
    }
    if (!write && !R.isSet(entry)) {
      VtdFault fault = legacy ? VtdFault.READ : VtdFault.SM_SECOND_PERMISSION;
      return Optional.of(fault.because("the entry does not allow reads (R=0)"));
    }
    return Optional.empty();
  }
}
