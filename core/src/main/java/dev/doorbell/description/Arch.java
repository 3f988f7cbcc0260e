package dev.doorbell.description;

/// Processor family of a machine.
public enum Arch {
  ARM64,
  X86,
  PPC64,
  POWERPC,
  RISCV64,
  /// The capture does not tell.
  UNKNOWN
}
