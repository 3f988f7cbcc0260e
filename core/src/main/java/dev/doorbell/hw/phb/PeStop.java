package dev.doorbell.hw.phb;

/// Why a PE is stopped, as its state in memory tells (EEH).
///
/// @param pe its number
/// @param requesterId who did it
/// @param address where it went, bits 60:0
/// @param cause the state's fields
public record PeStop(int pe, int requesterId, long address, String cause) {}
