package dev.doorbell.qemu;

/// What of a machine depends on its kind: what firmware does before PCI can be reached, and how it tells what the machine has.
interface Platform {
  /// Makes the configuration space reachable as the description tells, after power-on and after each reset.
  void powerOn();

  /// Lays out what the machine's drivers are to learn from.
  void describe(MachineSysroot sysroot);

  /// Forgets what was learnt before PCI's buses had numbers, where the tables tell of functions by these.
  ///
  /// {@return whether they do: QEMU makes them anew when they are read first after a reset}
  default boolean forgetUnnumbered() {
    return false;
  }

  /// Lays out the machine's ACPI tables.
  void acpi(MachineSysroot sysroot);
}
