package dev.doorbell.hw.vtd;

/// How a unit is driven.
///
/// @param tags domain ids of the machine
/// @param remapsInterrupts whether interrupts are remapped, where the unit can
/// @param extended whether interrupts have 32-bit destinations (x2APIC)
/// @param translation by which tables DMA is translated
public record VtdSettings(
    VtdTags tags, boolean remapsInterrupts, boolean extended, VtdTranslation translation) {
  /// In legacy mode.
  public VtdSettings(VtdTags tags, boolean remapsInterrupts, boolean extended) {
    this(tags, remapsInterrupts, extended, VtdTranslation.LEGACY);
  }

  /// {@return the same with other tables}
  public VtdSettings with(VtdTranslation other) {
    return new VtdSettings(tags, remapsInterrupts, extended, other);
  }
}
