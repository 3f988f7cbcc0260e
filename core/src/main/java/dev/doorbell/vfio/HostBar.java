package dev.doorbell.vfio;

import dev.doorbell.bus.RegisterBus;

/// A BAR of a function as the host reaches it.
///
/// @param index the register that it starts at, 0 to 5
/// @param bytes its size, a power of two
/// @param registers a window onto all of it
public record HostBar(int index, long bytes, RegisterBus registers) {}
