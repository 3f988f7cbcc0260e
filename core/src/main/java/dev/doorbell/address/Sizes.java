package dev.doorbell.address;

/// Sizes in bytes.
public final class Sizes {
  public static final long KIB = 1L << 10;
  public static final long MIB = 1L << 20;
  public static final long GIB = 1L << 30;
  public static final long TIB = 1L << 40;

  /// The first address that 32 bits cannot hold.
  public static final long FOUR_GIB = 1L << 32;

  private Sizes() {}
}
