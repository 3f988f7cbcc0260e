package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.PagingLayout.*;

import dev.doorbell.iommu.TableTrail;
import java.util.Optional;

/// How entries of one stage's tables are read.
enum PagingStage {
  FIRST("first stage"),
  SECOND("second stage"),
  /// The second stage on the way to the first one's root table.
  SECOND_OF_ROOT("second stage"),
  /// The second stage on the way to the first one's other tables.
  SECOND_OF_TABLES("second stage"),
  /// The second stage in legacy mode, which differs in the codes of its faults.
  LEGACY_SECOND("second stage");

  /// Bit 12 of a large page of the first stage is PAT, and no address.
  private static final long PAT = 1L << PAGE_BITS;

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
      case SECOND_OF_ROOT, SECOND_OF_TABLES -> VtdFault.SM_NESTED_BEYOND_WIDTH;
      case LEGACY_SECOND -> VtdFault.BEYOND_WIDTH;
    };
  }

  /// {@return the fault of an entry with reserved bits}
  VtdFault reserved() {
    return switch (this) {
      case FIRST -> VtdFault.SM_FIRST_RESERVED;
      case LEGACY_SECOND -> VtdFault.PAGING_RESERVED;
      case SECOND, SECOND_OF_ROOT, SECOND_OF_TABLES -> VtdFault.SM_SECOND_RESERVED;
    };
  }

  /// {@return whether a unit has tables of so many levels}
  boolean walks(UnitLimits limits, int levels) {
    return this == FIRST ? limits.walksFirst(levels) : limits.walksSecond(levels);
  }

  /// {@return the fault of an entry with bits that must be 0, as a stopped walk tells it}
  Optional<String> broken(UnitLimits limits, long entry, int level) {
    if (this != FIRST && (entry & limits.reservedSecond()) != 0) {
      return Optional.of(reserved().because("a reserved bit is set"));
    }
    int bits = PAGE_BITS + (level - 1) * INDEX_BITS;
    return (level == 1 || isPage(entry)) && isReserved(limits, entry, level)
        ? Optional.of(reserved().because("no page of 2^%d bytes can lie there".formatted(bits)))
        : Optional.empty();
  }

  /// {@return whether an entry of a page is of a size that the unit lacks, or names what is no such page's address}
  private boolean isReserved(UnitLimits limits, long entry, int level) {
    long within = (1L << PAGE_BITS + (level - 1) * INDEX_BITS) - 1;
    return this == FIRST
        ? !limits.hasFirstPage(level) || level > 1 && (address(entry) & within & ~PAT) != 0
        : !limits.hasSecondPage(level) || (address(entry) & within) != 0;
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
  ///
  /// @param all what this entry and those before it have in common
  /// @param page whether it is the last on the way
  Optional<String> fault(long entry, long all, boolean write, boolean page) {
    return switch (this) {
      case FIRST -> firstFault(entry, write);
      case LEGACY_SECOND -> lacks(entry, write, write ? VtdFault.WRITE : VtdFault.READ);
      case SECOND, SECOND_OF_ROOT, SECOND_OF_TABLES -> {
        if ((all & (R.mask() | W.mask())) == 0) {
          yield Optional.of(
              denied(VtdFault.SM_SECOND_PERMISSION)
                  .because("the entries so far allow neither reads nor writes (R=W=0)"));
        }
        yield page
            ? lacks(all, write, denied(write ? VtdFault.SM_WRITE : VtdFault.SM_READ))
            : Optional.empty();
      }
    };
  }

  private static Optional<String> firstFault(long entry, boolean write) {
    if (!P.isSet(entry)) {
      return Optional.of(VtdFault.SM_FIRST_NOT_PRESENT.because("the entry is not present (P=0)"));
    }
    if (!US.isSet(entry)) {
      return Optional.of(VtdFault.SM_USER.because("the entry is the supervisor's (U/S=0)"));
    }
    return write && !RW.isSet(entry)
        ? Optional.of(VtdFault.SM_WRITE.because("the entry does not allow writes (R/W=0)"))
        : Optional.empty();
  }

  private static Optional<String> lacks(long allowed, boolean write, VtdFault fault) {
    if ((write ? W : R).isSet(allowed)) {
      return Optional.empty();
    }
    return Optional.of(
        fault.because(
            write
                ? "the entry does not allow writes (W=0)"
                : "the entry does not allow reads (R=0)"));
  }

  /// {@return the fault of what is denied, which has codes of its own on the way to the first stage's tables}
  private VtdFault denied(VtdFault otherwise) {
    return switch (this) {
      case SECOND_OF_ROOT -> VtdFault.SM_NESTED_ROOT_READ;
      case SECOND_OF_TABLES -> VtdFault.SM_NESTED_READ;
      case FIRST, SECOND, LEGACY_SECOND -> otherwise;
    };
  }
}
