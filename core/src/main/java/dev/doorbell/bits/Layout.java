package dev.doorbell.bits;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// The layout of one word: a register, or one quadword of a table entry. Every bit is declared; `seal` proves it.
///
/// Bit numbers are written exactly as the manual prints them: `lsb0` numbers the least significant bit 0, `msb0`
/// (POWER) the most significant one. Declaring is not thread-safe; a sealed layout is immutable.
public final class Layout {
  private final String name;
  private final int bytes;
  private final boolean msb0;
  private final List<Field> fields = new ArrayList<>();
  private final Map<BitKind, Long> kinds = new EnumMap<>(BitKind.class);
  private boolean sealed;

  private Layout(String name, int bytes, boolean msb0) {
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
      throw new IllegalArgumentException(
          "layout " + name + " has " + bytes + " bytes; a word has 1, 2, 4 or 8");
    }
    this.name = name;
    this.bytes = bytes;
    this.msb0 = msb0;
  }

  /// {@return an empty layout whose bit 0 is the least significant}
  public static Layout lsb0(String name, int bytes) {
    return new Layout(name, bytes, false);
  }

  /// {@return an empty layout whose bit 0 is the most significant (IBM numbering)}
  public static Layout msb0(String name, int bytes) {
    return new Layout(name, bytes, true);
  }

  /// {@return a new one-bit field}
  public Field bit(String field, int bit) {
    return add(field, bit, bit, false, ValueNames.NONE);
  }

  /// {@return a new one-bit field with named values}
  public Field bit(String field, int bit, ValueNames names) {
    return add(field, bit, bit, false, names);
  }

  /// {@return a new field of bits first to last, both as the manual prints them}
  public Field bits(String field, int first, int last) {
    return add(field, first, last, false, ValueNames.NONE);
  }

  /// {@return a new field with named values}
  public Field bits(String field, int first, int last, ValueNames names) {
    return add(field, first, last, false, names);
  }

  /// {@return a new field whose values are whole addresses, kept in place}
  public Field address(String field, int first, int last) {
    return add(field, first, last, true, ValueNames.NONE);
  }

  public Layout res0(int first, int last) {
    return claim(BitKind.RES0, first, last);
  }

  public Layout res1(int first, int last) {
    return claim(BitKind.RES1, first, last);
  }

  public Layout ignored(int first, int last) {
    return claim(BitKind.IGNORED, first, last);
  }

  public Layout impdef(int first, int last) {
    return claim(BitKind.IMPDEF, first, last);
  }

  public Layout software(int first, int last) {
    return claim(BitKind.SOFTWARE, first, last);
  }

  /// Ends the declaration.
  ///
  /// {@return this layout}
  ///
  /// @throws IllegalStateException when a bit of the word is not declared
  public Layout seal() {
    long missing = wordMask() & ~claimed();
    if (missing != 0) {
      throw new IllegalStateException(
          "layout %s leaves bits 0x%x undeclared".formatted(name, missing));
    }
    fields.sort((a, b) -> Integer.compare(b.lsb(), a.lsb()));
    sealed = true;
    return this;
  }

  public String name() {
    return name;
  }

  /// {@return the word's size in bytes}
  public int bytes() {
    return bytes;
  }

  /// {@return the declared fields, most significant first once sealed}
  public List<Field> fields() {
    return List.copyOf(fields);
  }

  /// {@return the bits of one kind}
  public long mask(BitKind kind) {
    return kinds.getOrDefault(kind, 0L);
  }

  /// {@return every field of a word, most significant first}
  public List<Decoded> decode(long word) {
    List<Decoded> out = new ArrayList<>(fields.size());
    for (Field f : fields) {
      long raw = f.get(word);
      out.add(new Decoded(f, raw, f.names().nameOf(raw)));
    }
    return out;
  }

  /// {@return whether the declaration is complete}
  public boolean isSealed() {
    return sealed;
  }

  private Field add(String field, int first, int last, boolean inPlace, ValueNames names) {
    int lsb = lsb(first, last);
    int width = Math.abs(first - last) + 1;
    claim(BitKind.FIELD, first, last);
    Field f = new Field(field, lsb, width, inPlace, names);
    fields.add(f);
    return f;
  }

  private Layout claim(BitKind kind, int first, int last) {
    if (sealed) {
      throw new IllegalStateException("layout " + name + " is sealed");
    }
    int lsb = lsb(first, last);
    int width = Math.abs(first - last) + 1;
    if (lsb < 0 || lsb + width > bytes * Byte.SIZE) {
      throw new IllegalArgumentException(
          "bits %d:%d are outside layout %s of %d bits"
              .formatted(first, last, name, bytes * Byte.SIZE));
    }
    long mask = (-1L >>> (Long.SIZE - width)) << lsb;
    if ((claimed() & mask) != 0) {
      throw new IllegalArgumentException(
          "bits %d:%d of layout %s are declared twice".formatted(first, last, name));
    }
    kinds.merge(kind, mask, (a, b) -> a | b);
    return this;
  }

  private int lsb(int first, int last) {
    return msb0 ? bytes * Byte.SIZE - 1 - Math.max(first, last) : Math.min(first, last);
  }

  private long claimed() {
    long all = 0;
    for (long k : kinds.values()) {
      all |= k;
    }
    return all;
  }

  private long wordMask() {
    return -1L >>> (Long.SIZE - bytes * Byte.SIZE);
  }
}
