package dev.doorbell.pci.setup;

/// Something that wants addresses: a BAR, the BARs of VFs, or a bridge's window.
interface Claim {
  String name();

  /// {@return bytes, above 0}
  long bytes();

  /// {@return a power of two of which the address must be a multiple}
  long alignment();

  /// {@return whether it may lie above 4 GiB}
  boolean wide();

  /// {@return whether it may lie in a prefetchable window}
  boolean prefetchable();

  /// Gives it an address. Nothing is written yet.
  void assign(long address);
}
