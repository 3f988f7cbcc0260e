package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;

/// The registers of one IOMMU by name. Safe for use from many threads as far as the bus is.
///
/// @param id the IOMMU's id, for messages
/// @param bus the window, 16 KiB
/// @param polls how many reads a wait lasts at most
record AmdViPort(String id, RegisterBus bus, int polls) {
  long read(Register register) {
    return bus.read(register.offset(), register.bytes());
  }

  void write(Register register, long value) {
    bus.write(register.offset(), value, register.bytes());
  }

  boolean isSet(Register register, Field field) {
    return field.isSet(read(register));
  }

  /// Sets or clears a bit of Control. Several threads may do that, each with a bit of its own.
  synchronized void control(Field bit, boolean set) {
    write(AmdViRegisters.CONTROL_REG, bit.with(read(AmdViRegisters.CONTROL_REG), set ? 1 : 0));
  }

  /// Waits for a bit of Status.
  ///
  /// @throws AmdViTimeoutException when it does not come about
  void awaitStatus(Field bit, boolean set) {
    long last = 0;
    for (int i = 0; i < polls; i++) {
      last = read(AmdViRegisters.STATUS_REG);
      if (bit.isSet(last) == set) {
        return;
      }
      Thread.onSpinWait();
    }
    throw new AmdViTimeoutException(
        id, "Status.%s = %d".formatted(bit.name(), set ? 1 : 0), last, polls);
  }
}
