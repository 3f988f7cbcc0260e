package dev.doorbell.hw.vtd;

/// How a unit is driven.
///
/// @param tags domain ids of the machine
/// @param remapsInterrupts whether interrupts are remapped, where the unit can
/// @param extended whether interrupts have 32-bit destinations (x2APIC)
public record VtdSettings(VtdTags tags, boolean remapsInterrupts, boolean extended) {}
