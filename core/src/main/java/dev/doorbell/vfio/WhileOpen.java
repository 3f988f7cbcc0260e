package dev.doorbell.vfio;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.ConfigSpace;

/// A function's registers for whoever has it open: what was kept of a device that is closed reaches nothing, as the function may be another
/// one's by then.
final class WhileOpen {
  private WhileOpen() {}

  /// @param required throws when the function is not open
  static ConfigSpace config(ConfigSpace real, Runnable required) {
    return new Config(real, required);
  }

  /// @param required throws when the function is not open
  static RegisterBus registers(RegisterBus real, Runnable required) {
    return new Registers(real, required);
  }

  private record Config(ConfigSpace real, Runnable required) implements ConfigSpace {
    @Override
    public int size() {
      return real.size();
    }

    @Override
    public int read(int offset, int bytes) {
      required.run();
      return real.read(offset, bytes);
    }

    @Override
    public void write(int offset, int value, int bytes) {
      required.run();
      real.write(offset, value, bytes);
    }
  }

  private record Registers(RegisterBus real, Runnable required) implements RegisterBus {
    @Override
    public long read(long offset, int bytes) {
      required.run();
      return real.read(offset, bytes);
    }

    @Override
    public void write(long offset, long value, int bytes) {
      required.run();
      real.write(offset, value, bytes);
    }
  }
}
