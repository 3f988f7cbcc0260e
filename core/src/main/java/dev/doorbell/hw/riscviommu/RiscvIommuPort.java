package dev.doorbell.hw.riscviommu;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;
import java.util.function.LongPredicate;

/// The registers of one IOMMU by name. Safe for use from many threads as far as the bus is.
///
/// @param id the IOMMU's id, for messages
/// @param polls how many reads a wait lasts at most
record RiscvIommuPort(String id, RegisterBus bus, int polls) {
  long read(Register register) {
    return bus.read(register.offset(), register.bytes());
  }

  void write(Register register, long value) {
    bus.write(register.offset(), value, register.bytes());
  }

  /// {@return the first value read that satisfies the condition}
  ///
  /// @throws RiscvIommuTimeout when none does
  long await(Register register, String what, LongPredicate condition) {
    long last = 0;
    for (int i = 0; i < polls; i++) {
      last = read(register);
      if (condition.test(last)) {
        return last;
      }
      Thread.onSpinWait();
    }
    throw new RiscvIommuTimeout(id, what, last, polls);
  }
}
