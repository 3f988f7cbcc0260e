package dev.doorbell.address;

/// The smallest mapping of an IOMMU: a power of two in bytes.
///
/// @param shift log2 of the size, 12 to 30
public record Granule(int shift) implements Comparable<Granule> {
  public static final Granule K4 = new Granule(12);
  public static final Granule K16 = new Granule(14);
  public static final Granule K64 = new Granule(16);

  public Granule {
    if (shift < 12 || shift > 30) {
      throw new IllegalArgumentException(
          "granule of 2^" + shift + " bytes is not between 4 KiB and 1 GiB");
    }
  }

  /// {@return bytes}
  public long bytes() {
    return 1L << shift;
  }

  /// {@return the address rounded down to a multiple of the granule}
  public long alignDown(long address) {
    return address & -bytes();
  }

  /// {@return bytes of an address within its granule}
  public long offset(long address) {
    return address & (bytes() - 1);
  }

  public boolean isAligned(long address) {
    return offset(address) == 0;
  }

  @Override
  public int compareTo(Granule other) {
    return Integer.compare(shift, other.shift);
  }

  @Override
  public String toString() {
    if (shift == 30) {
      return "1G";
    }
    return shift < 20 ? (1 << (shift - 10)) + "K" : (1 << (shift - 20)) + "M";
  }
}
