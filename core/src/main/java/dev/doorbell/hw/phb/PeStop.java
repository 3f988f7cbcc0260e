package dev.doorbell.hw.phb;

import java.util.OptionalInt;
import java.util.OptionalLong;

/// Why a PE is stopped, as its state in memory tells (EEH).
///
/// @param pe its number
/// @param requesterId who did it; empty when it was stopped along with another PE
/// @param address where it went, bits 60:0; empty likewise
/// @param cause the state's fields
public record PeStop(int pe, OptionalInt requesterId, OptionalLong address, String cause) {}
