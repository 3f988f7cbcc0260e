package dev.doorbell.hw.gicits;

import dev.doorbell.address.Pa;
import java.util.BitSet;

/// One DeviceID's interrupt translation table and which of its events are taken. Several functions behind one requester alias share one.
/// Callers synchronise.
final class ItsDeviceTable {
  /// The ITT's address is a multiple of this (ITT_addr[51:8]).
  static final long ALIGNMENT = 256;

  final int deviceId;
  final int eventBits;
  final Pa itt;
  final long ittBytes;
  private final BitSet taken = new BitSet();

  ItsDeviceTable(int deviceId, int eventBits, Pa itt, long ittBytes) {
    this.deviceId = deviceId;
    this.eventBits = eventBits;
    this.itt = itt;
    this.ittBytes = ittBytes;
  }

  boolean isUnused() {
    return taken.isEmpty();
  }

  int free() {
    return (1 << eventBits) - taken.cardinality();
  }

  /// {@return the first of `count` free events in a row at a multiple of `alignment`, or -1}
  int findRun(int count, int alignment) {
    for (int at = 0; at + count <= 1 << eventBits; at += alignment) {
      int next = taken.nextSetBit(at);
      if (next < 0 || next >= at + count) {
        return at;
      }
    }
    return -1;
  }

  /// {@return the lowest free event from one on; there must be one}
  int nextFree(int from) {
    return taken.nextClearBit(from);
  }

  /// {@return how many events, from the first on, are in the table and free}
  int firstTaken(int[] events) {
    int free = 0;
    while (free < events.length && events[free] >>> eventBits == 0 && !taken.get(events[free])) {
      free++;
    }
    return free;
  }

  void take(int[] events) {
    for (int event : events) {
      taken.set(event);
    }
  }

  void giveBack(int[] events) {
    for (int event : events) {
      taken.clear(event);
    }
  }
}
