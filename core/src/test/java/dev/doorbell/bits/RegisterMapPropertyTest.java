package dev.doorbell.bits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("bits: registers, arrays of them at a stride, and what writes do to each bit")
class RegisterMapPropertyTest {
  private static Layout word(int bytes) {
    Layout layout = Layout.lsb0("WORD", bytes);
    layout.bits("ALL", 0, bytes * Byte.SIZE - 1);
    return layout.seal();
  }

  /// A byte of the window: which register, element and byte of it lie there.
  private record Place(Register register, int index, int within) {}

  @Test
  @DisplayName("every offset of a window leads to the element that lies there, or to a gap")
  void find() {
    Property.check(
        "bits: register map",
        60,
        random -> {
          RegisterMap.Builder builder = RegisterMap.named("window", 0x400);
          Map<Long, Place> truth = new HashMap<>();
          List<Register> declared = new ArrayList<>();
          for (long at = random.below(16); ; at += random.below(24)) {
            Layout layout = word(random.pick(List.of(1, 2, 4, 8)));
            int count = random.oneIn(2) ? 1 : random.between(1, 9);
            int stride = layout.bytes() + (random.oneIn(2) ? 0 : random.below(12));
            if (at + (long) count * stride > 0x400) {
              break;
            }
            Register r = builder.array("R" + at, at, count, stride, Access.RW, layout);
            declared.add(r);
            for (int i = 0; i < count; i++) {
              assertEquals(at + (long) i * stride, r.offset(i));
              for (int b = 0; b < layout.bytes(); b++) {
                truth.put(at + (long) i * stride + b, new Place(r, i, b));
              }
            }
            at += r.span();
          }
          RegisterMap map = builder.seal();
          assertEquals(declared, map.registers());
          for (long offset = 0; offset < 0x400; offset++) {
            Optional<Place> found =
                map.find(offset).map(h -> new Place(h.register(), h.index(), h.byteOffset()));
            assertEquals(Optional.ofNullable(truth.get(offset)), found, "offset " + offset);
          }
        });
  }

  @Test
  @DisplayName("a part of a register is the part at its bytes, in reads and in writes")
  void parts() {
    Property.check(
        "bits: parts",
        200,
        random -> {
          RegisterMap map = map(random);
          long offset = 8 + random.below(8);
          RegisterMap.Hit hit = map.find(offset).orElseThrow();
          int bytes = random.pick(List.of(1, 2, 4));
          if (hit.byteOffset() + bytes > 8) {
            return;
          }
          long whole = random.nextLong();
          long value = random.nextLong();
          long after = hit.with(whole, bytes, value);
          for (int b = 0; b < 8; b++) {
            boolean written = b >= hit.byteOffset() && b < hit.byteOffset() + bytes;
            long expected = written ? value >>> 8 * (b - hit.byteOffset()) : whole >>> 8 * b;
            assertEquals(expected & 0xff, after >>> 8 * b & 0xff, "byte " + b);
          }
          assertEquals(value & (1L << 8 * bytes) - 1, hit.part(after, bytes));
        });
  }

  private static RegisterMap map(SeededRandom random) {
    RegisterMap.Builder builder = RegisterMap.named("window", 0x20);
    builder.register("R", 8, Access.RW, word(8), random.nextLong());
    return builder.seal();
  }

  @Test
  @DisplayName(
      "registers over one another, outside the window, or of an unsealed layout are refused")
  void refusals() {
    RegisterMap.Builder overlap = RegisterMap.named("window", 0x100);
    overlap.array("ARRAY", 0, 4, 8, Access.RW, word(4));
    overlap.register("INSIDE", 0x18, Access.RW, word(4));
    assertEquals(
        "INSIDE at 0x18 overlaps its neighbour",
        assertThrows(IllegalStateException.class, overlap::seal).getMessage());
    RegisterMap.Builder outside = RegisterMap.named("window", 0x100);
    outside.array("LONG", 0xf0, 3, 8, Access.RW, word(4));
    assertEquals(
        "LONG ends outside window window",
        assertThrows(IllegalStateException.class, outside::seal).getMessage());
    RegisterMap.Builder open = RegisterMap.named("window", 0x100);
    open.register("OPEN", 0, Access.RW, Layout.lsb0("OPEN", 4));
    assertEquals(
        "layout of OPEN is not sealed",
        assertThrows(IllegalStateException.class, open::seal).getMessage());
  }

  @Test
  @DisplayName("an array whose elements lie over one another, or that has none, is refused")
  void badArrays() {
    assertEquals(
        "array CLOSE has elements of 8 bytes every 4",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    RegisterMap.named("window", 0x100).array("CLOSE", 0, 4, 4, Access.RW, word(8)))
            .getMessage());
    assertEquals(
        "array NONE has 0 elements",
        assertThrows(
                IllegalArgumentException.class,
                () -> RegisterMap.named("window", 0x100).array("NONE", 0, 0, Access.RW, word(8)))
            .getMessage());
  }

  @Test
  @DisplayName("an element that an array has not is refused")
  void elements() {
    Register r =
        RegisterMap.named("window", 0x100).array("IROUTER", 0x20, 4, 16, Access.RW, word(8));
    assertEquals(0x50, r.offset(3));
    assertEquals(0x38, r.span());
    for (int index : new int[] {-1, 4}) {
      assertEquals(
          "IROUTER has 4 elements, asked for " + index,
          assertThrows(IndexOutOfBoundsException.class, () -> r.offset(index)).getMessage());
    }
  }

  /// One bit under each kind of access, as a manual's table has it.
  private enum Kind {
    RO,
    RW,
    W1C,
    W1S,
    WO;

    int next(int old, int written) {
      return switch (this) {
        case RO -> old;
        case RW, WO -> written;
        case W1C -> written == 1 ? 0 : old;
        case W1S -> written == 1 ? 1 : old;
      };
    }
  }

  @Test
  @DisplayName("legalize follows each bit's own rule where kinds are mixed; reads hide and clear")
  void legalize() {
    Property.check(
        "bits: legalize",
        300,
        random -> {
          Kind[] kinds = new Kind[Long.SIZE];
          long[] masks = new long[Kind.values().length];
          long half = random.nextLong();
          long rc = half & random.nextLong();
          for (int bit = 0; bit < Long.SIZE; bit++) {
            kinds[bit] = random.pick(Kind.values());
            masks[kinds[bit].ordinal()] |= 1L << bit;
          }
          Access access =
              new Access(
                  masks[Kind.RW.ordinal()],
                  masks[Kind.W1C.ordinal()],
                  masks[Kind.W1S.ordinal()],
                  rc,
                  masks[Kind.WO.ordinal()]);
          long old = random.nextLong();
          long written = random.nextLong();
          long next = access.legalize(old, written);
          for (int bit = 0; bit < Long.SIZE; bit++) {
            Kind kind = kinds[bit];
            assertEquals(
                kind.next((int) (old >>> bit & 1), (int) (written >>> bit & 1)),
                (int) (next >>> bit & 1),
                kind + " bit " + bit);
            long visible = access.visible(next) >>> bit & 1;
            assertEquals(kind == Kind.WO ? 0 : next >>> bit & 1, visible, kind + " bit " + bit);
            long after = access.afterRead(next) >>> bit & 1;
            assertEquals((rc >>> bit & 1) == 1 ? 0 : next >>> bit & 1, after, kind + " bit " + bit);
          }
        });
  }

  @Test
  @DisplayName(
      "two rules for the write of one bit are refused; clearing by one replaces the rule there was")
  void oneRule() {
    long[] none = new long[5];
    for (int a = 0; a < none.length; a++) {
      for (int b = a + 1; b < none.length; b++) {
        long[] m = none.clone();
        m[a] = 4;
        m[b] = 6;
        boolean reads = a == 3 || b == 3;
        if (reads) {
          assertEquals(4, new Access(m[0], m[1], m[2], m[3], m[4]).rc() & 4);
        } else {
          assertThrows(
              IllegalArgumentException.class, () -> new Access(m[0], m[1], m[2], m[3], m[4]));
        }
      }
    }
    Access mixed = Access.rw(0xff).andW1c(0x0f);
    assertEquals(0x50 | 0x05, mixed.legalize(0x0f, 0x5a));
    assertTrue(mixed.w1c() == 0x0f && mixed.rw() == 0xf0);
  }
}
