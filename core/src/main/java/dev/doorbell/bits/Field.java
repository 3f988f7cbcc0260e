package dev.doorbell.bits;

/// One field of a register or of one word of a table entry, declared once and shared by driver, model and walker.
///
/// Hold it in a `static final`: the compiler then folds mask and shift to constants. An *address* field keeps its value
/// in place, so that values are whole, aligned addresses.
///
/// @param name the manual's own spelling
/// @param lsb number of the least significant bit, 0 for bit 0, whatever numbering the manual prints
/// @param width bits, 1 to 64
/// @param inPlace true for an address field
/// @param names names of encodings, for printing
public record Field(String name, int lsb, int width, boolean inPlace, ValueNames names) {
  public Field {
    if (width < 1 || lsb < 0 || lsb + width > Long.SIZE) {
      throw new IllegalArgumentException(
          "field " + name + " has lsb " + lsb + " and width " + width + ", outside a 64-bit word");
    }
  }

  /// {@return the field's bits within its word}
  public long mask() {
    return (-1L >>> (Long.SIZE - width)) << lsb;
  }

  /// {@return the largest value that fits; for an address field the highest address}
  public long max() {
    return inPlace ? mask() : -1L >>> (Long.SIZE - width);
  }

  /// {@return the value in a word; of an address field the whole address}
  public long get(long word) {
    return inPlace ? word & mask() : (word & mask()) >>> lsb;
  }

  /// {@return {@link #get} as an int, for fields of at most 32 bits}
  public int getInt(long word) {
    return (int) get(word);
  }

  /// {@return whether any bit of the field is set}
  public boolean isSet(long word) {
    return (word & mask()) != 0;
  }

  /// {@return a word with only this field set to a value}
  ///
  /// @throws IllegalArgumentException when the value has bits that the field cannot hold
  public long place(long value) {
    long placed = inPlace ? value : value << lsb;
    if (inPlace ? (value & ~mask()) != 0 : (value & ~max()) != 0) {
      throw rejected(value);
    }
    return placed;
  }

  /// {@return a live word with this field replaced}
  public long with(long word, long value) {
    return (word & ~mask()) | place(value);
  }

  /// {@return the number of the most significant bit}
  public int msb() {
    return lsb + width - 1;
  }

  private IllegalArgumentException rejected(long value) {
    return new IllegalArgumentException(
        "value 0x%x does not fit field %s[%d:%d], which holds bits 0x%x"
            .formatted(value, name, msb(), lsb, max()));
  }
}
