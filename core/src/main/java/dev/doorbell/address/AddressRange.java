package dev.doorbell.address;

import java.util.Optional;

/// A range of addresses, both ends inclusive, so that the top of the 64-bit space can be said. Unsigned; never empty.
/// Which space it lies in (IOVA, PA …) is said by the field that holds it.
///
/// @param start first address
/// @param last last address, not below `start`
public record AddressRange(long start, long last) implements Comparable<AddressRange> {
  /// The whole 64-bit space.
  public static final AddressRange ALL = new AddressRange(0, -1L);

  public AddressRange {
    if (Long.compareUnsigned(last, start) < 0) {
      throw new IllegalArgumentException(
          "range ends at 0x%x, before its start 0x%x".formatted(last, start));
    }
  }

  /// {@return the range of some bytes from a start}
  ///
  /// @throws IllegalArgumentException when the size is 0 or the range would pass the top of the space
  public static AddressRange ofSize(long start, long bytes) {
    if (bytes == 0) {
      throw new IllegalArgumentException("range at 0x%x has no bytes".formatted(start));
    }
    return new AddressRange(start, start + (bytes - 1));
  }

  /// {@return bytes in the range; 0 stands for 2^64}
  public long bytes() {
    return last - start + 1;
  }

  public boolean contains(long address) {
    return Long.compareUnsigned(address - start, last - start) <= 0;
  }

  public boolean contains(AddressRange other) {
    return contains(other.start) && Long.compareUnsigned(other.last, last) <= 0;
  }

  public boolean overlaps(AddressRange other) {
    return Long.compareUnsigned(start, other.last) <= 0
        && Long.compareUnsigned(other.start, last) <= 0;
  }

  public Optional<AddressRange> intersection(AddressRange other) {
    if (!overlaps(other)) {
      return Optional.empty();
    }
    long s = Long.compareUnsigned(start, other.start) >= 0 ? start : other.start;
    long l = Long.compareUnsigned(last, other.last) <= 0 ? last : other.last;
    return Optional.of(new AddressRange(s, l));
  }

  @Override
  public int compareTo(AddressRange other) {
    int c = Long.compareUnsigned(start, other.start);
    return c != 0 ? c : Long.compareUnsigned(last, other.last);
  }

  /// {@return whether a device or register of 32 address bits reaches all of it}
  public boolean isBelow4GiB() {
    return Long.compareUnsigned(last, Sizes.FOUR_GIB) < 0;
  }

  @Override
  public String toString() {
    return "[0x" + Long.toHexString(start) + ", 0x" + Long.toHexString(last) + "]";
  }
}
