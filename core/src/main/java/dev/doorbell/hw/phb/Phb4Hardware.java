package dev.doorbell.hw.phb;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;

/// A bridge as its drivers find it.
///
/// @param id the name of its DMA side, such as `phb4@pci0000:00`
/// @param kind `PHB4` or `PHB5`
/// @param registers 4 KiB
/// @param esb the pages that manage its interrupts
/// @param messages its interrupts
public record Phb4Hardware(
    String id,
    String kind,
    RegisterBus registers,
    RegisterBus esb,
    PhysicalMemory memory,
    Frames frames,
    Messages messages) {
  /// The interrupts of a bridge.
  ///
  /// @param id the name of its message side, such as `msi@pci0000:00`
  /// @param first number of interrupt 0 in the machine
  /// @param count how many are for messages
  /// @param source where this was read
  public record Messages(String id, int first, int count, Source source) {}
}
