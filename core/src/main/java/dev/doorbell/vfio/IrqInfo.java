package dev.doorbell.vfio;

/// What a function has of one kind of interrupt.
///
/// @param count vectors; 0 when there are none
/// @param resizable whether vectors can be added and removed one by one
public record IrqInfo(IrqType type, int count, boolean resizable) {}
