package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;

/// Finds a message's datum in memory: every translation keeps the offset in the page, and the datum is found nowhere else at that offset but in
/// event records, whose halves of addresses may look like one.
final class Landing {
  private static final long RAM_END = Board.RAM + Board.RAM_BYTES;
  private static final long ARENA_END = Board.ARENA + Board.ARENA_BYTES;

  private Landing() {}

  /// {@return the address in RAM that holds the datum, or {@link SmmuOutcome#NOWHERE}}
  ///
  /// @param likely where it is looked for first
  /// @param thorough whether it may be where no scenario sends it on purpose: the queues' pages but for the event records, and RAM outside the arena
  static long find(PhysicalMemory memory, Step.Message message, long likely, boolean thorough) {
    if (likely != SmmuOutcome.NOWHERE && holds(memory, message, likely)) {
      return likely;
    }
    long found = find(memory, message, Board.TARGETS, ARENA_END);
    if (found == SmmuOutcome.NOWHERE) {
      found = find(memory, message, Board.STREAMS, Board.TARGETS);
    }
    if (found == SmmuOutcome.NOWHERE && thorough) {
      found = find(memory, message, Board.RAM, Board.EVENTS);
    }
    if (found == SmmuOutcome.NOWHERE && thorough) {
      found = find(memory, message, Board.EVENTS + Board.EVENTS_BYTES, Board.STREAMS);
    }
    return found;
  }

  /// {@return whether an address is one of RAM}
  static boolean isRam(long pa) {
    return pa >= Board.RAM && pa < RAM_END;
  }

  private static long find(PhysicalMemory memory, Step.Message message, long from, long to) {
    long offset = message.address() & (Board.PAGE - 1);
    for (long at = from + offset; at < to; at += Board.PAGE) {
      if (holds(memory, message, at)) {
        return at;
      }
    }
    return SmmuOutcome.NOWHERE;
  }

  private static boolean holds(PhysicalMemory memory, Step.Message message, long pa) {
    return memory.read32(pa) == message.data();
  }
}
