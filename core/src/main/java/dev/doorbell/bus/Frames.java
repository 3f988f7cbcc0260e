package dev.doorbell.bus;

import dev.doorbell.address.Pa;

/// Memory that drivers take for their tables. Zeroed when given out. Safe for use from many threads.
public interface Frames {
  /// {@return the address of free, zeroed memory}
  ///
  /// @param bytes size, above 0
  /// @param alignment power of two
  /// @throws OutOfFramesException when there is none
  Pa allocate(long bytes, long alignment);

  /// Gives memory back. `bytes` is the size it was taken with.
  void free(Pa start, long bytes);

  /// {@return bytes given out and not yet given back; tests compare it to find leaks}
  long bytesInUse();
}
