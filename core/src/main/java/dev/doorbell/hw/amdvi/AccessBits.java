package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.Translator;

/// IR and IW of an entry as a set of accesses.
final class AccessBits {
  private AccessBits() {}

  static int of(boolean read, boolean write) {
    return (read ? Translator.READ : 0) | (write ? Translator.WRITE : 0);
  }
}
