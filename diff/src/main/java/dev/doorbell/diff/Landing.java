package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;

/// Finds a message's datum in the arena, but for the queues: every translation keeps the offset in the page, and the datum is found nowhere else at that offset.
final class Landing {
  private Landing() {}

  /// {@return the address in the arena that holds the datum, or {@link SmmuOutcome#NOWHERE}}
  static long find(PhysicalMemory memory, Step.Message message) {
    long offset = message.address() & (Board.PAGE - 1);
    for (long at = Board.TARGETS + offset; at < Board.ARENA + Board.ARENA_BYTES; at += Board.PAGE) {
      if (memory.read32(at) == message.data()) {
        return at;
      }
    }
    for (long at = Board.STREAMS + offset; at < Board.TARGETS; at += Board.PAGE) {
      if (memory.read32(at) == message.data()) {
        return at;
      }
    }
    return SmmuOutcome.NOWHERE;
  }

  /// As above, looking first where it is likely.
  static long find(PhysicalMemory memory, Step.Message message, long likely) {
    return likely != SmmuOutcome.NOWHERE && memory.read32(likely) == message.data()
        ? likely
        : find(memory, message);
  }

  /// {@return whether a datum is looked for at an address}
  static boolean covers(long pa) {
    return pa >= Board.STREAMS && pa < Board.ARENA + Board.ARENA_BYTES;
  }

  static void undo(PhysicalMemory memory, long landed) {
    if (landed != SmmuOutcome.NOWHERE) {
      memory.write32(landed, 0);
    }
  }
}
