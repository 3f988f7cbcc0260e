package dev.doorbell.hw.smmuv2;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/// The contents of one page of registers. Reads and writes of single registers are atomic and ordered.
final class RegisterPage {
  private final RegisterMap map;
  private final Map<Register, Integer> first = new IdentityHashMap<>();
  private final AtomicLongArray contents;

  RegisterPage(RegisterMap map) {
    this.map = map;
    int count = 0;
    for (Register register : map.registers()) {
      first.put(register, count);
      count += register.count();
    }
    contents = new AtomicLongArray(count);
    for (Register register : map.registers()) {
      for (int i = 0; i < register.count(); i++) {
        set(register, i, register.reset());
      }
    }
  }

  RegisterMap map() {
    return map;
  }

  long get(Register register) {
    return get(register, 0);
  }

  long get(Register register, int index) {
    return contents.get(at(register) + index);
  }

  void set(Register register, long value) {
    set(register, 0, value);
  }

  void set(Register register, int index, long value) {
    contents.set(at(register) + index, value);
  }

  private int at(Register register) {
    Integer at = first.get(register);
    if (at == null) {
      throw new IllegalArgumentException(register.name() + " is no register of " + map.name());
    }
    return at;
  }
}
