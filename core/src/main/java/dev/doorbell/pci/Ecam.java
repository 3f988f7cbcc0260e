package dev.doorbell.pci;

import dev.doorbell.bus.RegisterBus;

/// Configuration spaces through an ECAM window: each access is one of its registers.
///
/// @param registers the window, its first byte register 0 of the first bus's device 0
/// @param segment PCI segment group of its buses
/// @param firstBus first bus number
/// @param lastBus last bus number, included
public record Ecam(RegisterBus registers, int segment, int firstBus, int lastBus) {
  public Ecam {
    if (firstBus < 0 || lastBus > EcamLayout.BUS.max() || firstBus > lastBus) {
      throw new IllegalArgumentException(
          "an ECAM window of buses %d to %d cannot be".formatted(firstBus, lastBus));
    }
  }

  /// {@return a function's live space of 4096 bytes; all ones where no function answers}
  ///
  /// @throws IllegalArgumentException when the window does not have the function's bus
  public ConfigSpace config(Sbdf function) {
    if (function.segment() != segment || function.bus() < firstBus || function.bus() > lastBus) {
      throw new IllegalArgumentException(
          "%s is not among buses %d to %d of segment %d, which this ECAM window has"
              .formatted(function, firstBus, lastBus, segment));
    }
    return new Space(
        registers,
        EcamLayout.BUS.place(function.bus() - firstBus)
            | EcamLayout.DEVICE.place(function.device())
            | EcamLayout.FUNCTION.place(function.function()));
  }

  private record Space(RegisterBus registers, long base) implements ConfigSpace {
    @Override
    public int size() {
      return CapabilityLayout.EXTENDED_BYTES;
    }

    @Override
    public int read(int offset, int bytes) {
      ConfigSpace.check(offset, bytes);
      return (int) registers.read(base + offset, bytes);
    }

    @Override
    public void write(int offset, int value, int bytes) {
      ConfigSpace.check(offset, bytes);
      long mask = -1L >>> (Long.SIZE - bytes * Byte.SIZE);
      registers.write(base + offset, value & mask, bytes);
    }
  }
}
