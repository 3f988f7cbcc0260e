package dev.doorbell.diff;

/// A register.
///
/// @param name the manual's
/// @param address physical
/// @param bytes 4 or 8
record Place(String name, long address, int bytes) {}
