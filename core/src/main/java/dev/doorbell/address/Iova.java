package dev.doorbell.address;

/// An address of its own kind: an address as a device emits it, before the IOMMU. Unsigned, 64 bits.
///
/// @param value the address
public record Iova(long value) implements Comparable<Iova> {
  /// {@return the address some bytes further}
  ///
  /// @throws ArithmeticException when the sum passes the top of the 64-bit space
  public Iova plus(long bytes) {
    long sum = value + bytes;
    if (bytes < 0 ? Long.compareUnsigned(sum, value) >= 0 : Long.compareUnsigned(sum, value) < 0) {
      throw new ArithmeticException(this + " plus " + bytes + " leaves the 64-bit space");
    }
    return new Iova(sum);
  }

  @Override
  public int compareTo(Iova other) {
    return Long.compareUnsigned(value, other.value);
  }

  @Override
  public String toString() {
    return "0x" + Long.toHexString(value);
  }
}
