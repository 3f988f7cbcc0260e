package dev.doorbell.pci.setup;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.Rollback;
import dev.doorbell.pci.ConfigAccess;

/// Writes registers and remembers what they held, so that a set-up that fails leaves them as before.
///
/// @param rollback takes the writes back, last first: what lies deepest is reached while the buses above still have their numbers
record ConfigJournal(Rollback rollback) {
  void write(ConfigAccess at, Register register, long value) {
    write(at, register, 0, value);
  }

  void write(ConfigAccess at, Register register, int index, long value) {
    long before = at.read(register, index);
    rollback.add(() -> at.write(register, index, before));
    at.write(register, index, value);
  }

  /// Changes fields of a register without W1C bits.
  void set(ConfigAccess at, Register register, Field field, long value) {
    write(at, register, field.with(at.read(register), value));
  }
}
