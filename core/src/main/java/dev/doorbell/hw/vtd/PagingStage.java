package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.PagingLayout.*;

import java.util.Optional;

/// How entries of one stage's tables are read.
enum PagingStage {
  FIRST("first stage"),
  SECOND("second stage");

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

  String beyond() {
    return this == FIRST ? "80h" : "4h";
  }

  long address(long entry) {
    return this == FIRST ? FS_ADDRESS.get(entry) : ADDRESS.get(entry);
  }

  boolean isPage(long entry) {
    return this == FIRST ? FS_PS.isSet(entry) : PS.isSet(entry);
  }

  String print(long entry) {
    return VtdTrail.print(this == FIRST ? FIRST_STAGE : SECOND_STAGE, entry);
  }

  /// {@return why an entry does not let an access through}
  Optional<String> fault(long entry, boolean write) {
    if (this == FIRST) {
      return !P.isSet(entry)
          ? Optional.of("fault 71h: the entry is not present (P=0)")
          : write && !RW.isSet(entry)
              ? Optional.of("fault 85h: the entry does not allow writes (R/W=0)")
              : Optional.empty();
    }
    return write && !W.isSet(entry)
        ? Optional.of("fault 5h: the entry does not allow writes (W=0)")
        : !write && !R.isSet(entry)
            ? Optional.of("fault 6h: the entry does not allow reads (R=0)")
            : Optional.empty();
  }
}
