package dev.doorbell.bits;

import java.util.List;

/// One value whose bits lie in several fields, perhaps of several words of an entry (AMD's GCR3 table root lies in three parts).
///
/// @param name the manual's own spelling
/// @param pieces low to high parts of the value
public record JoinedField(String name, List<Piece> pieces) {
  /// A part: the field that holds it, the word of the entry in which it lies, and the bit of the value where it starts.
  public record Piece(Field field, int word, int valueLsb) {}

  public JoinedField {
    pieces = List.copyOf(pieces);
    long seen = 0;
    for (Piece p : pieces) {
      int last = p.valueLsb() + p.field().width() - 1;
      if (p.valueLsb() < 0 || last >= Long.SIZE) {
        throw new IllegalArgumentException(
            "joined field %s has bits %d to %d in %s; a value has %d"
                .formatted(name, p.valueLsb(), last, p.field().name(), Long.SIZE));
      }
      long bits = (-1L >>> (Long.SIZE - p.field().width())) << p.valueLsb();
      if ((seen & bits) != 0) {
        throw new IllegalArgumentException("joined field " + name + " has overlapping pieces");
      }
      seen |= bits;
    }
    for (int i = 0; i < pieces.size(); i++) {
      for (Piece other : pieces.subList(0, i)) {
        refuseSharedBits(name, other, pieces.get(i));
      }
    }
  }

  private static void refuseSharedBits(String name, Piece a, Piece b) {
    if (a.word() == b.word() && (a.field().mask() & b.field().mask()) != 0) {
      throw new IllegalArgumentException(
          "joined field %s has pieces %s and %s in the same bits of word %d"
              .formatted(name, a.field().name(), b.field().name(), a.word()));
    }
  }

  /// {@return the value read from an entry's words}
  public long get(long... words) {
    long value = 0;
    for (int i = 0; i < pieces.size(); i++) {
      Piece p = pieces.get(i);
      value |= ((words[p.word()] & p.field().mask()) >>> p.field().lsb()) << p.valueLsb();
    }
    return value;
  }

  /// Writes a value into an entry's words, leaving other fields.
  ///
  /// @throws IllegalArgumentException when the value has bits that no piece holds
  public void set(long[] words, long value) {
    long left = value;
    for (Piece p : pieces) {
      long bits = (-1L >>> (Long.SIZE - p.field().width())) << p.valueLsb();
      left &= ~bits;
    }
    if (left != 0) {
      throw new IllegalArgumentException(
          "value 0x%x does not fit joined field %s".formatted(value, name));
    }
    for (Piece p : pieces) {
      Field f = p.field();
      long part = (value >>> p.valueLsb()) & (-1L >>> (Long.SIZE - f.width()));
      words[p.word()] = (words[p.word()] & ~f.mask()) | part << f.lsb();
    }
  }
}
