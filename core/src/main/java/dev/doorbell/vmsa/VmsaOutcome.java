package dev.doorbell.vmsa;

import dev.doorbell.address.Pa;

/// How a walk ended.
public sealed interface VmsaOutcome {
  /// {@return the outcome in words}
  String message();

  /// A block or page was found, and allows the access.
  ///
  /// @param output the translated address
  /// @param bytes size of the block or page
  /// @param level where it was found
  /// @param device whether its memory type is a device's
  record Mapped(Pa output, long bytes, int level, boolean device) implements VmsaOutcome {
    @Override
    public String message() {
      return "maps to " + output;
    }
  }

  /// The address lies outside what the tables can translate.
  record OutsideInput(String message) implements VmsaOutcome {}

  /// The descriptor at this level is invalid.
  record NotMapped(int level, String message) implements VmsaOutcome {}

  /// The descriptor at this level has an encoding that the manual reserves.
  record Reserved(int level, String message) implements VmsaOutcome {}

  /// An address in a descriptor (or the start table's) is wider than the output.
  record AddressSize(int level, Pa address, String message) implements VmsaOutcome {}

  /// The access flag is clear and nothing sets it.
  record NoAccessFlag(int level, String message) implements VmsaOutcome {}

  /// The mapping does not allow the access.
  record Denied(int level, String message) implements VmsaOutcome {}

  /// The descriptor cannot be seen.
  record Unreadable(int level, Pa entry, String message) implements VmsaOutcome {}
}
