package dev.doorbell.address;

/// An address of its own kind: a virtual address of this process. Unsigned, 64 bits.
///
/// @param value the address
public record Hva(long value) implements Comparable<Hva> {
  /// {@return the address some bytes further}
  ///
  /// @throws ArithmeticException when the sum passes the top of the 64-bit space
  public Hva plus(long bytes) {
    long sum = value + bytes;
    if (bytes < 0 ? Long.compareUnsigned(sum, value) >= 0 : Long.compareUnsigned(sum, value) < 0) {
      throw new ArithmeticException(this + " plus " + bytes + " leaves the 64-bit space");
    }
    return new Hva(sum);
  }

  @Override
  public int compareTo(Hva other) {
    return Long.compareUnsigned(value, other.value);
  }

  @Override
  public String toString() {
    return "0x" + Long.toHexString(value);
  }
}
