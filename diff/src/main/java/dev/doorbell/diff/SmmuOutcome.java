package dev.doorbell.diff;

import java.util.List;
import java.util.stream.Collectors;

/// What a device's access led to.
///
/// @param landed of a write the physical address that holds the datum now; of a read the word that the device got; -1 where nothing was written,
/// or the word is zero or all ones, as it is where nothing answers
/// @param records what was queued
record SmmuOutcome(long landed, List<SmmuRecord> records) {
  static final long NOWHERE = -1;

  /// What is read where PCI has nothing.
  private static final long ALL_ONES = 0xffff_ffffL;

  SmmuOutcome {
    records = List.copyOf(records);
  }

  /// {@return what a read that got a word led to}
  static SmmuOutcome read(long word, List<SmmuRecord> records) {
    return new SmmuOutcome(word == 0 || word == ALL_ONES ? NOWHERE : word, records);
  }

  @Override
  public String toString() {
    String where =
        landed == NOWHERE
            ? "nothing written or read"
            : "0x%x written to, or read".formatted(landed);
    return records.isEmpty()
        ? where + ", no event record"
        : where + ", " + records.stream().map(Object::toString).collect(Collectors.joining(", "));
  }
}
