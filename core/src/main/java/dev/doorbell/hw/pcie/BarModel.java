package dev.doorbell.hw.pcie;

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

  void place(long at) {
    address = at;
  }

  boolean holds(long a) {
    return Long.compareUnsigned(a - address, bytes) < 0;
  }
}
