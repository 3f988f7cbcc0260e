package dev.doorbell.bits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("bits: the last bit, the last byte, and what a declaration answers")
class EdgesTest {
  private static Layout word() {
    return Layout.lsb0("WORD", 4).ignored(31, 0).seal();
  }

  @Test
  @DisplayName("a field may end at bit 63 and not behind it")
  void fieldEnds() {
    assertEquals(0xffL << 56, new Field("F", 56, 8, false, ValueNames.NONE).mask());
    assertThrows(
        IllegalArgumentException.class, () -> new Field("F", 57, 8, false, ValueNames.NONE));
    assertThrows(
        IllegalArgumentException.class, () -> new Field("F", 60, 5, false, ValueNames.NONE));
  }

  @Test
  @DisplayName(
      "every declaration of a layout answers its field, and the layout lists them from the top")
  void declared() {
    ValueNames names = ValueNames.of(1, "one");
    Layout l = Layout.lsb0("L", 4);
    Field low = l.bits("LOW", 7, 0);
    Field named = l.bits("NAMED", 15, 8, names);
    Field bit = l.bit("BIT", 16);
    Field namedBit = l.bit("NAMED_BIT", 17, names);
    Field address = l.address("ADDRESS", 31, 18);
    l.seal();
    assertEquals(List.of(address, namedBit, bit, named, low), l.fields());
    assertEquals("one", named.names().nameOf(1));
    assertEquals("one", namedBit.names().nameOf(1));
  }

  @Test
  @DisplayName("a value may have 64 bits in pieces, in any order; not 65, and no bit twice")
  void joined() {
    Field low = new Field("LOW", 0, 32, false, ValueNames.NONE);
    Field high = new Field("HIGH", 32, 32, false, ValueNames.NONE);
    JoinedField whole =
        new JoinedField(
            "J", List.of(new JoinedField.Piece(low, 0, 32), new JoinedField.Piece(high, 0, 0)));
    long[] words = {0};
    whole.set(words, 0x1234_5678_9abc_def0L);
    assertEquals(0x9abc_def0_1234_5678L, words[0]);
    assertEquals(0x1234_5678_9abc_def0L, whole.get(words));
    List<JoinedField.Piece> beyond = List.of(new JoinedField.Piece(low, 0, 33));
    assertThrows(IllegalArgumentException.class, () -> new JoinedField("J", beyond));
    List<JoinedField.Piece> twice =
        List.of(new JoinedField.Piece(low, 0, 32), new JoinedField.Piece(high, 1, 31));
    assertThrows(IllegalArgumentException.class, () -> new JoinedField("J", twice));
    List<JoinedField.Piece> oneBit =
        List.of(new JoinedField.Piece(low, 0, 0), new JoinedField.Piece(high, 1, 31));
    assertThrows(IllegalArgumentException.class, () -> new JoinedField("J", oneBit));
    Field nibble = new Field("N", 4, 4, false, ValueNames.NONE);
    JoinedField one = new JoinedField("J", List.of(new JoinedField.Piece(nibble, 0, 8)));
    assertThrows(IllegalArgumentException.class, () -> one.set(new long[1], 0x1000));
    long[] kept = {0xfff};
    one.set(kept, 0x300);
    assertEquals(0xf3f, kept[0]);
  }

  @Test
  @DisplayName("andW1c takes bits from every other rule of writing, and from no other bits")
  void andW1c() {
    Access a = new Access(0xf, 0x10, 0xf00, 0, 0xf000).andW1c(0x1118);
    assertEquals(new Access(0x7, 0x1118 | 0x10, 0xe00, 0, 0xe000), a);
  }

  @Test
  @DisplayName("parts of registers of one, two and four bytes, each at each place")
  void parts() {
    RegisterMap.Builder m = RegisterMap.named("M", 16);
    Register second = m.register("SECOND", 8, Access.RW, Layout.lsb0("D", 8).ignored(63, 0).seal());
    Register first = m.register("FIRST", 4, Access.RW, word(), 7);
    RegisterMap map = m.seal();
    assertEquals(List.of(first, second), map.registers(), "by their place, however declared");
    assertEquals(7, first.reset());
    assertEquals(0, second.reset());
    long whole = 0x1122_3344_5566_7788L;
    assertEquals(0x88, map.find(8).orElseThrow().part(whole, 1));
    assertEquals(0x5566, map.find(10).orElseThrow().part(whole, 2));
    assertEquals(0x1122_3344, map.find(12).orElseThrow().part(whole, 4));
    assertEquals(whole, map.find(8).orElseThrow().part(whole, 8));
    assertEquals(0x1122_abcd_5566_7788L, map.find(12).orElseThrow().with(whole, 2, 0xff_abcdL));
    assertTrue(map.find(3).isEmpty());
    assertTrue(map.find(16).isEmpty());
    assertSame(second, map.find(15).orElseThrow().register());
  }

  @Test
  @DisplayName("a register may end with the window and not behind it")
  void windowEnds() {
    RegisterMap.Builder m = RegisterMap.named("M", 8);
    m.register("LAST", 4, Access.RW, word());
    assertEquals(1, m.seal().registers().size());
    RegisterMap.Builder behind = RegisterMap.named("M", 7);
    behind.register("LAST", 4, Access.RW, word());
    assertThrows(IllegalStateException.class, behind::seal);
    RegisterMap.Builder touching = RegisterMap.named("M", 8);
    touching.array("A", 0, 1, Access.RW, word());
    touching.register("B", 4, Access.RW, word());
    assertEquals(2, touching.seal().registers().size());
  }
}
