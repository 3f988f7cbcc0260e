package dev.doorbell.bits;

import java.util.Map;
import java.util.TreeMap;

/// Names of a field's encodings, as the manual prints them. The set is open: a value without a name stays a number.
public record ValueNames(Map<Long, String> names) {
  public static final ValueNames NONE = new ValueNames(Map.of());

  public ValueNames {
    names = Map.copyOf(names);
  }

  /// {@return names from pairs of an integral encoding and its text}
  ///
  /// @throws IllegalArgumentException when the pairs are incomplete, or an encoding is named twice
  public static ValueNames of(Object... pairs) {
    if (pairs.length % 2 != 0) {
      throw new IllegalArgumentException(
          "value names come in pairs, got " + pairs.length + " items");
    }
    Map<Long, String> names = new TreeMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      long value = ((Number) pairs[i]).longValue();
      if (names.put(value, (String) pairs[i + 1]) != null) {
        throw new IllegalArgumentException("value " + value + " is named twice");
      }
    }
    return new ValueNames(names);
  }

  /// {@return the name of an encoding, or the empty string}
  public String nameOf(long value) {
    return names.getOrDefault(value, "");
  }
}
