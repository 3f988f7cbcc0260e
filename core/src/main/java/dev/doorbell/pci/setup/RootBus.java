package dev.doorbell.pci.setup;

/// A root bus and the numbers that buses below it may have.
///
/// @param bus its own number
/// @param lastBus last number for a bus below it, included
public record RootBus(int bus, int lastBus) {
  public RootBus {
    if (bus < 0 || lastBus < bus || lastBus > 255) {
      throw new IllegalArgumentException(
          "a root bus %d with buses up to %d cannot be".formatted(bus, lastBus));
    }
  }
}
