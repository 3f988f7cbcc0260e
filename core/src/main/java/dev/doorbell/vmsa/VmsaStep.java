package dev.doorbell.vmsa;

import dev.doorbell.address.Pa;

/// One descriptor that a walk read.
///
/// @param level 0 to 3
/// @param entry where it lies
/// @param descriptor its content
/// @param kind what it is
/// @param why its decoded fields
public record VmsaStep(int level, Pa entry, long descriptor, Kind kind, String why) {
  /// What a descriptor is at its level.
  public enum Kind {
    INVALID("invalid"),
    TABLE("table"),
    BLOCK("block"),
    PAGE("page"),
    RESERVED("reserved encoding");

    private final String printed;

    Kind(String printed) {
      this.printed = printed;
    }

    /// {@return the kind in the manual's words}
    public String printed() {
      return printed;
    }
  }
}
