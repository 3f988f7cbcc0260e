package dev.doorbell.description;

/// What describes a machine.
public enum FirmwareKind {
  ACPI,
  DEVICE_TREE,
  /// The capture has neither.
  NONE
}
