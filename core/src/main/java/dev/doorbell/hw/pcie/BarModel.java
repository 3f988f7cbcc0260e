package dev.doorbell.hw.pcie;

import dev.doorbell.pci.ConfigHeaderLayout;

/// One memory BAR of an endpoint model and where it lies at the moment.
public final class BarModel {
  private final int index;
  private final long bytes;
  private final boolean wide;
  private volatile long address;

  BarModel(int index, long bytes, boolean wide, long address) {
    this.index = index;
    this.bytes = bytes;
    this.wide = wide;
    this.address = address;
  }

  /// {@return its first register}
  public int index() {
    return index;
  }

  /// {@return its size, a power of two}
  public long bytes() {
    return bytes;
  }

  /// {@return whether it takes two registers}
  public boolean wide() {
    return wide;
  }

  /// {@return the PCI address that software put it at}
  public long address() {
    return address;
  }

  /// Goes where its registers say.
  ///
  /// {@return whether it was elsewhere before}
  boolean follow(ConfigStorage storage) {
    long low =
        ConfigHeaderLayout.BAR_MEMORY_BASE.get(storage.get(0, ConfigHeaderLayout.BAR, index));
    long high = wide ? storage.get(0, ConfigHeaderLayout.BAR, index + 1) << Integer.SIZE : 0;
    boolean moves = (low | high) != address;
    address = low | high;
    return moves;
  }

  boolean holds(long a) {
    return Long.compareUnsigned(a - address, bytes) < 0;
  }
}
