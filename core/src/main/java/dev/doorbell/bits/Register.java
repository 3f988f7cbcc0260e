package dev.doorbell.bits;

/// One register, or an array of equal registers at a stride.
///
/// @param name the manual's own spelling
/// @param offset bytes from the start of its map
/// @param count 1, or the number of elements of an array
/// @param stride bytes between elements
/// @param reset content after reset
/// @param access what reads and writes do
/// @param layout its fields; gives the width
public record Register(
    String name, long offset, int count, int stride, long reset, Access access, Layout layout) {
  public Register {
    if (count < 1) {
      throw new IllegalArgumentException("array " + name + " has " + count + " elements");
    }
    if (stride < layout.bytes()) {
      throw new IllegalArgumentException(
          "array %s has elements of %d bytes every %d".formatted(name, layout.bytes(), stride));
    }
  }

  public int bytes() {
    return layout.bytes();
  }

  /// {@return the offset of one element}
  ///
  /// @throws IndexOutOfBoundsException when the array has no such element
  public long offset(int index) {
    if (index < 0 || index >= count) {
      throw new IndexOutOfBoundsException(name + " has " + count + " elements, asked for " + index);
    }
    return offset + (long) index * stride;
  }

  /// {@return the content after a write of a whole register}
  public long legalize(long old, long written) {
    return access.legalize(old, written);
  }

  /// {@return bytes from the first element's first byte to the last one's last, plus one}
  public long span() {
    return (long) (count - 1) * stride + bytes();
  }
}
