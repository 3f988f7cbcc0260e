package dev.doorbell.address;

/// An address of its own kind: a guest-physical address: the input of stage 2. Unsigned, 64 bits.
///
/// @param value the address
public record Ipa(long value) implements Comparable<Ipa> {
  /// {@return the address some bytes further}
  ///
  /// @throws ArithmeticException when the sum passes the top of the 64-bit space
  public Ipa plus(long bytes) {
    long sum = value + bytes;
    if (bytes < 0 ? Long.compareUnsigned(sum, value) >= 0 : Long.compareUnsigned(sum, value) < 0) {
      throw new ArithmeticException(this + " plus " + bytes + " leaves the 64-bit space");
    }
    return new Ipa(sum);
  }

  @Override
  public int compareTo(Ipa other) {
    return Long.compareUnsigned(value, other.value);
  }

  @Override
  public String toString() {
    return "0x" + Long.toHexString(value);
  }
}
