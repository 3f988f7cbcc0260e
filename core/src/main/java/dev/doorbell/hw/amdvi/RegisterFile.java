package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/// The contents of the registers of a model. Reads and writes of single registers are atomic and ordered.
final class RegisterFile {
  private final Map<Register, AtomicLong> contents = new IdentityHashMap<>();

  RegisterFile(AmdViFeatures features) {
    for (Register r : AmdViRegisters.MAP.registers()) {
      if (r.count() == 1) {
        contents.put(r, new AtomicLong(r.reset()));
      }
    }
    set(AmdViRegisters.EXT_FEATURE_REG, features.extFeature());
  }

  long get(Register register) {
    return cell(register).get();
  }

  void set(Register register, long value) {
    cell(register).set(value);
  }

  boolean isSet(Register register, Field field) {
    return field.isSet(get(register));
  }

  /// Sets and clears bits of Status, which several threads may change at once.
  void status(long setBits, long clearBits) {
    cell(AmdViRegisters.STATUS_REG).getAndUpdate(old -> old & ~clearBits | setBits);
  }

  private AtomicLong cell(Register register) {
    AtomicLong cell = contents.get(register);
    if (cell == null) {
      throw new IllegalArgumentException(register.name() + " has no content");
    }
    return cell;
  }
}
