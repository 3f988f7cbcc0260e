package dev.doorbell.address;

/// An address of its own kind: a host-physical address. Unsigned, 64 bits.
///
/// @param value the address
public record Pa(long value) implements Comparable<Pa> {
  /// {@return the address some bytes further}
  ///
  /// @throws ArithmeticException when the sum passes the top of the 64-bit space
  public Pa plus(long bytes) {
    long sum = value + bytes;
    if (bytes < 0 ? Long.compareUnsigned(sum, value) >= 0 : Long.compareUnsigned(sum, value) < 0) {
      throw new ArithmeticException(this + " plus " + bytes + " leaves the 64-bit space");
    }
    return new Pa(sum);
  }

  @Override
  public int compareTo(Pa other) {
    return Long.compareUnsigned(value, other.value);
  }

  @Override
  public String toString() {
    return "0x" + Long.toHexString(value);
  }
}
