package dev.doorbell.bits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("bits: a layout declares every bit of a word once, numbered from either end")
class LayoutPropertyTest {
  /// A run of bits as a manual prints it: the number of the first and of the last bit, in its own numbering.
  record Run(String name, int from, int to, boolean msb0, int bits) {
    /// {@return which bit of a Java long a printed number means}
    private int place(int printed) {
      return msb0 ? bits - 1 - printed : printed;
    }

    /// {@return the value of the run in a word, one bit after another}
    long valueIn(long word) {
      long value = 0;
      int lowest = Math.min(place(from), place(to));
      for (int printed = from; printed <= to; printed++) {
        long bit = word >>> place(printed) & 1;
        value |= bit << (place(printed) - lowest);
      }
      return value;
    }

    long mask() {
      long mask = 0;
      for (int printed = from; printed <= to; printed++) {
        mask |= 1L << place(printed);
      }
      return mask;
    }
  }

  /// A word cut at random.
  private static List<Run> cut(SeededRandom random, int bits, boolean msb0) {
    List<Run> runs = new ArrayList<>();
    for (int at = 0; at < bits; ) {
      int end = Math.min(bits - 1, at + (random.oneIn(3) ? 0 : random.below(24)));
      runs.add(new Run("F" + at, at, end, msb0, bits));
      at = end + 1;
    }
    return runs;
  }

  private static Layout empty(boolean msb0, int bytes) {
    return msb0 ? Layout.msb0("WORD", bytes) : Layout.lsb0("WORD", bytes);
  }

  /// Declares a run, its two ends in any order: manuals print 31:24 and 0:7.
  private static Field declare(Layout layout, Run run, SeededRandom random) {
    return random.nextBoolean()
        ? layout.bits(run.name(), run.from(), run.to())
        : layout.bits(run.name(), run.to(), run.from());
  }

  @Test
  @DisplayName("fields read and write the bits that their numbers name, lsb0 and msb0")
  void fields() {
    Property.check(
        "bits: fields",
        300,
        random -> {
          int bytes = random.pick(List.of(1, 2, 4, 8));
          boolean msb0 = random.nextBoolean();
          Layout layout = empty(msb0, bytes);
          List<Run> runs = random.shuffled(cut(random, bytes * Byte.SIZE, msb0));
          List<Field> fields = new ArrayList<>();
          runs.forEach(run -> fields.add(declare(layout, run, random)));
          layout.seal();
          long word = random.nextLong();
          for (int i = 0; i < runs.size(); i++) {
            Run run = runs.get(i);
            Field field = fields.get(i);
            assertEquals(run.mask(), field.mask(), run::toString);
            assertEquals(run.valueIn(word), field.get(word), run::toString);
            assertEquals(run.valueIn(word) != 0, field.isSet(word));
            long value = random.nextLong() & field.max();
            long changed = field.with(word, value);
            assertEquals(value, run.valueIn(changed));
            assertEquals(word & ~run.mask(), changed & ~run.mask(), "other bits changed");
            assertEquals(changed & run.mask(), field.place(value));
          }
        });
  }

  @Test
  @DisplayName(
      "decoding lists every field, most significant first, whatever the order of declaration")
  void decoding() {
    Property.check(
        "bits: decoding",
        100,
        random -> {
          boolean msb0 = random.nextBoolean();
          Layout layout = empty(msb0, 4);
          List<Run> runs = cut(random, 32, msb0);
          random.shuffled(runs).forEach(run -> declare(layout, run, random));
          long word = random.bits(32);
          List<String> expected =
              runs.stream()
                  .sorted(Comparator.comparingLong(Run::mask).reversed())
                  .map(run -> run.name() + "=" + run.valueIn(word))
                  .toList();
          assertEquals(
              expected,
              layout.seal().decode(word).stream()
                  .map(d -> d.field().name() + "=" + d.raw())
                  .toList());
        });
  }

  @Test
  @DisplayName("a gap is refused and named by its bits; a sealed layout takes nothing more")
  void gap() {
    Property.check(
        "bits: gap",
        100,
        random -> {
          boolean msb0 = random.nextBoolean();
          List<Run> runs = cut(random, 64, msb0);
          Run left = random.pick(runs);
          Layout layout = empty(msb0, 8);
          runs.stream().filter(run -> run != left).forEach(run -> declare(layout, run, random));
          assertEquals(
              "layout WORD leaves bits 0x%x undeclared".formatted(left.mask()),
              assertThrows(IllegalStateException.class, layout::seal).getMessage());
          assertTrue(!layout.isSealed());
          layout.res0(left.from(), left.to());
          layout.seal();
          assertEquals(left.mask(), layout.mask(BitKind.RES0));
          assertThrows(IllegalStateException.class, () -> layout.bit("LATE", left.from()));
        });
  }

  @Test
  @DisplayName("a bit declared twice is refused, whatever either declaration says of it")
  void overlap() {
    Property.check(
        "bits: overlap",
        100,
        random -> {
          boolean msb0 = random.nextBoolean();
          Layout layout = empty(msb0, 4);
          int from = random.below(32);
          int to = random.between(from, 31);
          layout.res1(from, to);
          int bit = random.between(from, to);
          int first = random.between(0, bit);
          int last = random.between(bit, 31);
          String message =
              assertThrows(
                      IllegalArgumentException.class,
                      () -> {
                        switch (random.below(3)) {
                          case 0 -> layout.bits("AGAIN", first, last);
                          case 1 -> layout.res0(first, last);
                          default -> layout.address("AGAIN", first, last);
                        }
                      })
                  .getMessage();
          assertEquals(
              "bits %d:%d of layout WORD are declared twice".formatted(first, last), message);
          assertEquals(List.of(), layout.fields(), "a refused field is not kept");
        });
  }

  @Test
  @DisplayName("bits outside the word are refused, at either end and in both numberings")
  void outside() {
    for (int bytes : new int[] {1, 2, 4, 8}) {
      int bits = bytes * Byte.SIZE;
      for (boolean msb0 : new boolean[] {false, true}) {
        for (int[] run : new int[][] {{bits, bits}, {bits - 1, bits}, {-1, 0}, {0, bits}}) {
          assertEquals(
              "bits %d:%d are outside layout WORD of %d bits".formatted(run[0], run[1], bits),
              assertThrows(
                      IllegalArgumentException.class,
                      () -> empty(msb0, bytes).bits("F", run[0], run[1]))
                  .getMessage());
        }
      }
    }
    for (int bytes : new int[] {0, 3, 16, -8}) {
      assertThrows(IllegalArgumentException.class, () -> Layout.lsb0("WORD", bytes));
    }
  }

  @Test
  @DisplayName("kinds keep apart, and a whole word of them has no field")
  void kinds() {
    Layout layout = Layout.msb0("WORD", 4);
    layout.res0(0, 7).res1(8, 15).ignored(16, 19).impdef(20, 23).software(24, 31).seal();
    assertEquals(0xff00_0000L, layout.mask(BitKind.RES0));
    assertEquals(0x00ff_0000L, layout.mask(BitKind.RES1));
    assertEquals(0xf000L, layout.mask(BitKind.IGNORED));
    assertEquals(0xf00L, layout.mask(BitKind.IMPDEF));
    assertEquals(0xffL, layout.mask(BitKind.SOFTWARE));
    assertEquals(0, layout.mask(BitKind.FIELD));
    assertEquals(List.of(), layout.decode(-1L));
  }

  @Test
  @DisplayName(
      "a value that does not fit is refused with the field's bits; an address must be in place")
  void values() {
    Layout layout = Layout.lsb0("WORD", 8);
    Field field = layout.bits("VMID", 32, 47);
    Field address = layout.address("TTB", 4, 31);
    assertEquals(
        "value 0x10000 does not fit field VMID[47:32], which holds bits 0xffff",
        assertThrows(IllegalArgumentException.class, () -> field.place(0x10000)).getMessage());
    assertThrows(IllegalArgumentException.class, () -> field.with(0, -1));
    assertEquals(0xffff_fff0L, address.place(0xffff_fff0L));
    for (long bad : new long[] {8, 0x1_0000_0000L, -16}) {
      assertThrows(IllegalArgumentException.class, () -> address.place(bad));
    }
    assertEquals(0x1234_5670L, address.get(0xdead_beef_1234_567fL));
  }

  @Test
  @DisplayName("names of encodings: pairs, each once; others stay numbers")
  void names() {
    Layout layout = Layout.lsb0("WORD", 1);
    layout.bits("CONFIG", 0, 2, ValueNames.of(0, "abort", 4, "bypass"));
    layout.bit("V", 7, ValueNames.of(1, "valid"));
    layout.res0(3, 6).seal();
    assertEquals(
        "V=1 (valid) CONFIG=0x4 (bypass)",
        layout.decode(0x84).stream().map(Decoded::toString).collect(Collectors.joining(" ")));
    assertEquals(
        "V=0 CONFIG=0x5",
        layout.decode(0x05).stream().map(Decoded::toString).collect(Collectors.joining(" ")));
    assertThrows(IllegalArgumentException.class, () -> ValueNames.of(0, "a", 0, "b"));
    assertThrows(IllegalArgumentException.class, () -> ValueNames.of(0, "a", 1));
  }
}
