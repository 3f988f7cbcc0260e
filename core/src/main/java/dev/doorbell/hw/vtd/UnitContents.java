package dev.doorbell.hw.vtd;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/// The contents of a unit's registers. Single contents are read and written atomically.
final class UnitContents {
  private final Map<Register, AtomicLongArray> contents = new IdentityHashMap<>();

  UnitContents(VtdFeatures features) {
    for (Register r : VtdRegisters.MAP.registers()) {
      AtomicLongArray elements = new AtomicLongArray(r.count());
      for (int i = 0; i < r.count(); i++) {
        elements.set(i, r.reset());
      }
      contents.put(r, elements);
    }
    set(VtdRegisters.VER_REG, VtdRegisters.VER_MAX.place(1));
    set(VtdRegisters.CAP_REG, features.cap());
    set(VtdRegisters.ECAP_REG, features.ecap());
  }

  private AtomicLongArray of(Register r) {
    AtomicLongArray a = contents.get(r);
    if (a == null) {
      throw new IllegalArgumentException(r.name() + " is no register of a remapping unit");
    }
    return a;
  }

  long get(Register r) {
    return of(r).get(0);
  }

  long get(Register r, int index) {
    return of(r).get(index);
  }

  void set(Register r, long value) {
    of(r).set(0, value);
  }

  void set(Register r, int index, long value) {
    of(r).set(index, value);
  }

  boolean isSet(Register r, Field f) {
    return f.isSet(get(r));
  }

  void raise(Register r, Field f) {
    of(r).accumulateAndGet(0, f.mask(), (a, b) -> a | b);
  }

  void clear(Register r, Field f) {
    of(r).accumulateAndGet(0, f.mask(), (a, b) -> a & ~b);
  }
}
