package dev.doorbell.description;

/// How a wire tells of an interrupt.
///
/// @param low whether it is active when it is low
/// @param level whether it interrupts as long as it is active, not when it becomes so
public record WireSignal(boolean low, boolean level) {
  /// Of the ISA bus, as usual.
  public static final WireSignal ISA = new WireSignal(false, false);

  /// Of PCI, at an I/O APIC.
  public static final WireSignal PCI = new WireSignal(true, true);

  /// Of most devices of a RISC-V machine.
  public static final WireSignal HIGH = new WireSignal(false, true);
}
