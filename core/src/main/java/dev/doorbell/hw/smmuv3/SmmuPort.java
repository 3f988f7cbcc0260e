package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;
import java.util.function.LongPredicate;

/// The registers of one SMMU by name. Safe for use from many threads as far as the bus is.
///
/// @param id the SMMU's id, for messages
/// @param bus both pages of the window, 128 KiB
/// @param polls how many reads a wait lasts at most
record SmmuPort(String id, RegisterBus bus, int polls) {
  long read(Register register) {
    return bus.read(register.offset(), register.bytes());
  }

  void write(Register register, long value) {
    bus.write(register.offset(), value, register.bytes());
  }

  /// Writes a control register and waits for its acknowledge register to follow.
  ///
  /// @throws SmmuTimeoutException when it does not
  void writeAcknowledged(Register register, Register acknowledge, long value) {
    write(register, value);
    await(
        acknowledge,
        "%s = 0x%x after a write of %s".formatted(acknowledge.name(), value, register.name()),
        read -> read == value);
  }

  /// {@return the first value read that satisfies the condition}
  ///
  /// @throws SmmuTimeoutException when none does
  long await(Register register, String what, LongPredicate condition) {
    long last = 0;
    for (int i = 0; i < polls; i++) {
      last = read(register);
      if (condition.test(last)) {
        return last;
      }
      Thread.onSpinWait();
    }
    throw new SmmuTimeoutException(id, what, last, polls);
  }
}
