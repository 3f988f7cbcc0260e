package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.EventLayout;

/// An event record.
record SmmuRecord(long word0, long word1, long word2, long word3) {
  int id() {
    return EventLayout.EVENT_ID.getInt(word0);
  }

  @Override
  public String toString() {
    String name = EventLayout.EVENT_ID.names().nameOf(id());
    return "%s of StreamID 0x%x [0x%x 0x%x 0x%x 0x%x]"
        .formatted(
            name.isEmpty() ? "event 0x" + Integer.toHexString(id()) : name,
            EventLayout.STREAM_ID.get(word0),
            word0,
            word1,
            word2,
            word3);
  }
}
