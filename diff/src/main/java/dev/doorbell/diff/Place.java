package dev.doorbell.diff;

/// A register.
///
/// @param name the manual's
/// @param address physical
/// @param bytes 1, 2, 4 or 8
/// @param compared bits that must be the same on both machines
record Place(String name, long address, int bytes, long compared) {
  Place(String name, long address, int bytes) {
    this(name, address, bytes, -1L);
  }
}
