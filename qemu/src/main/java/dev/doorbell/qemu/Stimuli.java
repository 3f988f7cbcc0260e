package dev.doorbell.qemu;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;

/// Finds the way to make a device raise its vectors, by its vendor and device id.
final class Stimuli {
  private static final int EDU = 0x11e8_1234;

  private Stimuli() {}

  /// @throws IllegalArgumentException when nothing is known of such a device
  static Stimulus of(QemuMachine machine, Sbdf function) {
    ConfigSpace config = machine.config(function);
    int id = config.read32(0);
    return switch (id) {
      case EDU -> new Edu(machine.bar(function, 0));
      default ->
          throw new IllegalArgumentException(
              "%s is a device 0x%08x, which cannot be made to raise a vector from outside"
                  .formatted(function, id));
    };
  }

  private record Edu(RegisterBus registers) implements Stimulus {
    @Override
    public int vectors() {
      return 1;
    }

    @Override
    public Firing raise(int vector) {
      registers.write32(0x60, 1);
      registers.write32(0x64, 1);
      return Firing.UNTOLD;
    }
  }
}
