package dev.doorbell.diff;

import java.util.List;
import java.util.stream.Collectors;

/// What a device's message led to.
///
/// @param landed the physical address that holds the datum now, or -1
/// @param records what was queued
record SmmuOutcome(long landed, List<SmmuRecord> records) {
  static final long NOWHERE = -1;

  SmmuOutcome {
    records = List.copyOf(records);
  }

  @Override
  public String toString() {
    String where = landed == NOWHERE ? "not delivered" : "written to 0x%x".formatted(landed);
    return records.isEmpty()
        ? where + ", no event record"
        : where + ", " + records.stream().map(Object::toString).collect(Collectors.joining(", "));
  }
}
