package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.EventLayout.*;

import dev.doorbell.bits.Field;

/// First words of event records, made of what a model knows. Allocates nothing.
final class EventWords {
  private EventWords() {}

  /// {@return the part that most records share}
  static long of(int code, int device, int domain) {
    return CODE.place(code) | DEVICE.place(device) | DOMAIN.place(domain);
  }

  /// {@return the flag, or nothing}
  static long flag(Field flag, boolean set) {
    return set ? flag.mask() : 0;
  }

  static long aborted() {
    return TYPE.place(TARGET_ABORT);
  }
}
