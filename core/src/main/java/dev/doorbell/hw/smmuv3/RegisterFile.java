package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/// The contents of the registers. Reads and writes of single registers are atomic and ordered.
final class RegisterFile {
  private final SmmuFeatures features;
  private final List<Register> registers = SmmuRegisters.MAP.registers();
  private final Map<Register, Integer> indexes = new IdentityHashMap<>();
  private final AtomicLongArray contents = new AtomicLongArray(registers.size());

  RegisterFile(SmmuFeatures features) {
    this.features = features;
    for (int i = 0; i < registers.size(); i++) {
      indexes.put(registers.get(i), i);
    }
    reset();
  }

  /// Gives every register its content after reset. Reset contents that the manual leaves UNKNOWN are zero.
  void reset() {
    for (Register register : registers) {
      set(register, register.reset());
    }
    set(SmmuRegisters.IDR0, Integer.toUnsignedLong(features.idr0()));
    set(SmmuRegisters.IDR1, Integer.toUnsignedLong(features.idr1()));
    set(SmmuRegisters.IDR3, Integer.toUnsignedLong(features.idr3()));
    set(SmmuRegisters.IDR5, Integer.toUnsignedLong(features.idr5()));
    set(SmmuRegisters.AIDR, SmmuRegisters.AIDR_ARCH_MINOR_REV.place(2));
  }

  long get(Register register) {
    return contents.get(index(register));
  }

  void set(Register register, long value) {
    contents.set(index(register), value);
  }

  boolean isSet(Register register, Field field) {
    return field.isSet(get(register));
  }

  /// Replaces a register's content unless it changed meanwhile.
  ///
  /// {@return whether it was still the expected one}
  boolean replace(Register register, long expected, long value) {
    return contents.compareAndSet(index(register), expected, value);
  }

  /// Makes a global error active by toggling its bit, unless it is active already.
  ///
  /// {@return whether it became active}
  boolean activate(Field error) {
    for (; ; ) {
      long old = get(SmmuRegisters.GERROR);
      if (isActive(error)) {
        return false;
      }
      if (replace(SmmuRegisters.GERROR, old, old ^ error.mask())) {
        return true;
      }
    }
  }

  /// {@return whether a global error is active: SMMU_GERROR and SMMU_GERRORN differ in it}
  boolean isActive(Field error) {
    return error.isSet(get(SmmuRegisters.GERROR) ^ get(SmmuRegisters.GERRORN));
  }

  private int index(Register register) {
    Integer index = indexes.get(register);
    if (index == null) {
      throw new IllegalArgumentException(register.name() + " is no register of an SMMUv3");
    }
    return index;
  }
}
