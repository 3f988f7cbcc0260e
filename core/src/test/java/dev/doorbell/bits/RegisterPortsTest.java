package dev.doorbell.bits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("register ports: which accesses are answered, and what reaches a reaction")
class RegisterPortsTest {
  private static final Layout WORD = Layout.lsb0("WORD", 4).ignored(31, 0).seal();
  private static final Layout DOUBLE = Layout.lsb0("DOUBLE", 8).ignored(63, 0).seal();

  private final RegisterMap.Builder builder = RegisterMap.named("M", 0x40);
  private final Register word = builder.register("WORD", 0, Access.RW, WORD, 0x1122_3344);
  private final Register wide = builder.register("WIDE", 8, Access.RW, DOUBLE);
  private final Register array = builder.array("ARRAY", 0x20, 3, 8, Access.RW, WORD);
  private final RegisterMap map = builder.seal();
  private final RegisterPorts ports = new RegisterPorts(map);
  private final List<String> heard = new ArrayList<>();

  @Test
  @DisplayName(
      "a register answers its own size, 8 bytes also halves, others when they are named; gaps any")
  void sizes() {
    assertTrue(ports.answers(0, 4));
    assertFalse(ports.answers(0, 2));
    assertFalse(ports.answers(0, 8));
    assertSame(ports, ports.alsoBy(word, 2));
    assertTrue(ports.answers(2, 2));
    assertFalse(ports.answers(0, 1));
    assertTrue(ports.answers(8, 8));
    assertTrue(ports.answers(8, 4));
    assertTrue(ports.answers(12, 4));
    assertFalse(ports.answers(12, 8), "not aligned");
    assertFalse(ports.answers(10, 4), "not aligned");
    assertTrue(ports.answers(4, 1), "a gap");
    assertTrue(ports.answers(0x38, 8), "the last bytes of the window");
    assertFalse(ports.answers(0x40, 1));
    assertFalse(ports.answers(0x3c, 8));
    assertFalse(ports.answers(-4, 4));
    RegisterPorts eight = new RegisterPorts(map).alsoBy(word, 8);
    assertFalse(
        eight.answers(0, 8), "what is wider than the register is not answered, named or not");
  }

  @Test
  @DisplayName(
      "without a reaction a register reads as after reset and takes nothing; a gap reads as zero")
  void silent() {
    assertEquals(0x1122_3344, ports.read(0, 4));
    ports.write(0, 5, 4);
    assertEquals(0x1122_3344, ports.read(0, 4));
    ports.write(4, 5, 4);
    assertEquals(0, ports.read(4, 4));
  }

  @Test
  @DisplayName("a whole write asks nothing; a part keeps the rest of what a read answers")
  void reactions() {
    assertSame(
        ports,
        ports.on(
            wide,
            i -> {
              heard.add("get");
              return 0x1111_2222_3333_4444L;
            },
            (i, v) -> heard.add("set 0x%x".formatted(v))));
    ports.write(8, 7, 8);
    ports.write(12, 9, 4);
    assertEquals(List.of("set 0x7", "get", "set 0x933334444"), heard);
    assertEquals(0x1111_2222, ports.read(12, 4));
    assertEquals(0x3333_4444, ports.read(8, 4));
    assertEquals(0x1111_2222_3333_4444L, ports.read(8, 8));
  }

  @Test
  @DisplayName("an array's reaction hears which element; one that answers alone ignores writes")
  void elements() {
    assertSame(ports, ports.on(array, i -> 100 + i));
    assertEquals(102, ports.read(0x30, 4));
    assertEquals(100, ports.read(0x20, 4));
    ports.write(0x28, 1, 4);
    assertEquals(101, ports.read(0x28, 4));
    RegisterPorts other = new RegisterPorts(map);
    other.on(array, i -> 0, (i, v) -> heard.add(i + "=" + v));
    other.write(0x28, 6, 4);
    assertEquals(List.of("1=6"), heard);
  }

  @Test
  @DisplayName(
      "a register of another map is an error of the caller's; names and sizes are the map's")
  void strange() {
    RegisterMap.Builder other = RegisterMap.named("OTHER", 4);
    Register stranger = other.register("STRANGER", 0, Access.RO, WORD);
    other.seal();
    assertEquals(
        "map M has no register STRANGER",
        assertThrows(IllegalArgumentException.class, () -> ports.on(stranger, i -> 1))
            .getMessage());
    assertEquals("M", map.name());
    assertEquals(0x40, map.bytes());
    assertEquals("WORD", WORD.name());
    assertEquals(0x12, word.legalize(0x34, 0x12));
    assertEquals(0x34, stranger.legalize(0x34, 0x12));
    assertEquals(3, array.count());
    assertEquals(0x30, array.offset(2));
    assertEquals(0x5, new Field("F", 4, 4, false, ValueNames.NONE).getInt(0x3_0057));
  }
}
