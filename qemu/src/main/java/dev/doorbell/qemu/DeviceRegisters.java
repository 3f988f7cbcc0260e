package dev.doorbell.qemu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;

/// A device's BAR by the declarations of its registers.
///
/// @param device its name, for messages
record DeviceRegisters(String device, RegisterBus bus) {
  /// Looks at a register before a device counts as stuck. Each look is a command to QEMU, which serves its devices between commands: seconds
  /// pass.
  private static final int LOOKS = 200_000;

  long read(Register register) {
    return bus.read(register.offset(), register.bytes());
  }

  void write(Register register, long value) {
    bus.write(register.offset(), value, register.bytes());
  }

  /// {@return the registers that begin at an offset of these}
  DeviceRegisters from(long start) {
    return new DeviceRegisters(device, new Part(bus, start));
  }

  private record Part(RegisterBus whole, long start) implements RegisterBus {
    @Override
    public long read(long offset, int bytes) {
      return whole.read(start + offset, bytes);
    }

    @Override
    public void write(long offset, long value, int bytes) {
      whole.write(start + offset, value, bytes);
    }
  }

  /// Waits until a field has a value.
  ///
  /// @throws DeviceStuck when it does not get it
  void await(Register register, Field field, long value) {
    long seen = 0;
    for (int i = 0; i < LOOKS; i++) {
      seen = read(register);
      if (field.get(seen) == value) {
        return;
      }
    }
    throw new DeviceStuck(
        device,
        "%s.%s to become 0x%x".formatted(register.name(), field.name(), value),
        "%s is 0x%x".formatted(register.name(), seen));
  }
}
