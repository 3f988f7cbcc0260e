package dev.doorbell.bits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bits.JoinedField.Piece;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("bits: a value in several fields of several words")
class JoinedFieldTest {
  private static Field field(String name, int lsb, int width) {
    return new Field(name, lsb, width, false, ValueNames.NONE);
  }

  /// Parts of a value at random places of four words, none over another.
  private static List<Piece> pieces(SeededRandom random) {
    List<Piece> pieces = new ArrayList<>();
    long[] used = new long[4];
    for (int at = random.below(8); at < Long.SIZE; ) {
      int width = Math.min(Long.SIZE - at, random.between(1, 20));
      int word = random.below(used.length);
      Field f = field("P" + at, random.below(Long.SIZE - width + 1), width);
      if ((used[word] & f.mask()) == 0) {
        used[word] |= f.mask();
        pieces.add(new Piece(f, word, at));
        at += width + (random.oneIn(3) ? random.below(6) : 0);
      }
    }
    return random.shuffled(pieces);
  }

  @Test
  @DisplayName(
      "what is set is what is read, bit by bit where the pieces say, and nothing else changes")
  void roundTrip() {
    Property.check(
        "bits: joined",
        300,
        random -> {
          List<Piece> pieces = pieces(random);
          JoinedField joined = new JoinedField("ROOT", pieces);
          long holds = 0;
          long[] inPieces = new long[4];
          for (Piece p : pieces) {
            for (int bit = 0; bit < p.field().width(); bit++) {
              holds |= 1L << (p.valueLsb() + bit);
              inPieces[p.word()] |= 1L << (p.field().lsb() + bit);
            }
          }
          long[] words = {
            random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong()
          };
          long[] before = words.clone();
          long value = random.nextLong() & holds;
          joined.set(words, value);
          assertEquals(value, joined.get(words));
          for (Piece p : pieces) {
            for (int bit = 0; bit < p.field().width(); bit++) {
              assertEquals(
                  value >>> (p.valueLsb() + bit) & 1,
                  words[p.word()] >>> (p.field().lsb() + bit) & 1);
            }
          }
          for (int i = 0; i < words.length; i++) {
            assertEquals(before[i] & ~inPieces[i], words[i] & ~inPieces[i], "word " + i);
          }
          if (holds != -1L) {
            long foreign = Long.lowestOneBit(~holds);
            assertEquals(
                "value 0x%x does not fit joined field ROOT".formatted(value | foreign),
                assertThrows(
                        IllegalArgumentException.class, () -> joined.set(words, value | foreign))
                    .getMessage());
            assertEquals(value, joined.get(words), "a refused value wrote nothing");
          }
        });
  }

  @Test
  @DisplayName("pieces that share bits of the value are refused")
  void overlapInValue() {
    assertEquals(
        "joined field ROOT has overlapping pieces",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    new JoinedField(
                        "ROOT",
                        List.of(
                            new Piece(field("LOW", 0, 8), 0, 0),
                            new Piece(field("HIGH", 0, 8), 1, 7))))
            .getMessage());
  }

  @Test
  @DisplayName("pieces that share bits of a word are refused: setting one would break the other")
  void overlapInWord() {
    assertEquals(
        "joined field ROOT has pieces LOW and HIGH in the same bits of word 1",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    new JoinedField(
                        "ROOT",
                        List.of(
                            new Piece(field("LOW", 4, 8), 1, 0),
                            new Piece(field("HIGH", 11, 8), 1, 8))))
            .getMessage());
  }

  @Test
  @DisplayName("a piece that reaches beyond 64 bits of the value is refused")
  void beyondTheValue() {
    assertEquals(
        "joined field ROOT has bits 60 to 67 in HIGH; a value has 64",
        assertThrows(
                IllegalArgumentException.class,
                () -> new JoinedField("ROOT", List.of(new Piece(field("HIGH", 0, 8), 0, 60))))
            .getMessage());
  }
}
