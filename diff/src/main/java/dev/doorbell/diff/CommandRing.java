package dev.doorbell.diff;

/// Where the next command lies in a ring of commands in memory.
final class CommandRing {
  private long base;
  private long bytes = Pc.PAGE;
  private long tail;

  /// The ring lies elsewhere, and is empty.
  void moved(long newBase, long newBytes) {
    base = newBase;
    bytes = newBytes;
    tail = 0;
  }

  /// Software wrote the tail itself.
  void tail(long value) {
    tail = value;
  }

  /// {@return where the next command is to be written}
  ///
  /// @param size its bytes
  long next(int size) {
    long at = base + tail;
    tail = (tail + size) % bytes;
    return at;
  }

  long tail() {
    return tail;
  }
}
