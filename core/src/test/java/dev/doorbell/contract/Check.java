package dev.doorbell.contract;

import java.util.Objects;
import java.util.function.Supplier;

/// Says what does not hold.
final class Check {
  private Check() {}

  static void that(boolean holds, Supplier<String> otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise.get());
    }
  }

  static void equal(Object expected, Object actual, String what) {
    that(
        Objects.equals(expected, actual),
        () -> "%s: expected %s, is %s".formatted(what, print(expected), print(actual)));
  }

  private static String print(Object o) {
    return o instanceof Long l ? "0x" + Long.toHexString(l) : String.valueOf(o);
  }
}
