package dev.doorbell.qemu;

/// What of a machine depends on its kind: what firmware does before PCI can be reached, and how it tells what the machine has.
interface Platform {
  /// Makes the configuration space reachable as the description tells, after power-on and after each reset.
  void powerOn();

  /// Lays out what the machine's drivers are to learn from.
  void describe(MachineSysroot sysroot);

  /// Lays out the machine's ACPI tables.
  void acpi(MachineSysroot sysroot);
}
