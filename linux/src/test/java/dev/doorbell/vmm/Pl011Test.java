package dev.doorbell.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("DDI 0183 chapter 3: the console's registers as Linux's driver uses them")
class Pl011Test {
  private final StringBuilder out = new StringBuilder();
  private final List<Boolean> line = new ArrayList<>();
  private final Pl011 console = new Pl011(c -> out.append((char) c), line::add);

  @Test
  @DisplayName("the identification registers are a PL011's, in Arm's own order")
  void identifies() {
    long id = 0;
    for (int i = 3; i >= 0; i--) {
      id = id << 8 | console.read(0xfe0 + 4L * i, 4);
    }
    // The driver's table: id 0x00041011, mask 0x000fffff.
    assertEquals(0x41011, id & 0xfffff);
    long cell = 0;
    for (int i = 3; i >= 0; i--) {
      cell = cell << 8 | console.read(0xff0 + 4L * i, 4);
    }
    assertEquals(0xb105f00dL, cell);
  }

  @Test
  @DisplayName("a character goes out at once, and the transmit interrupt follows its mask")
  void transmits() {
    console.write(0, 'a', 4);
    assertEquals("a", out.toString());
    assertEquals(0x90, console.read(0x18, 4), "transmit and receive FIFO are empty");
    assertEquals(0x20, console.read(0x3c, 4));
    assertEquals(List.of(), line);
    console.write(0x38, 0x20, 4);
    assertEquals(List.of(true), line);
    assertEquals(0x20, console.read(0x40, 4));
    console.write(0x44, 0x20, 4);
    assertEquals(List.of(true, false), line);
    console.write(0, 'b', 2);
    assertEquals(List.of(true, false, true), line);
    assertEquals("ab", out.toString());
  }

  @Test
  @DisplayName("what is typed raises the receive interrupt until it is read")
  void receives() {
    console.write(0x38, 0x10, 4);
    console.type('x');
    console.type('y');
    assertEquals(List.of(true), line);
    assertEquals(0x80, console.read(0x18, 4));
    assertEquals('x', console.read(0, 4));
    assertEquals(List.of(true), line);
    assertEquals('y', console.read(0, 1));
    assertEquals(List.of(true, false), line);
    assertEquals(0, console.read(0, 4));
  }

  @Test
  @DisplayName("an acknowledged receive interrupt comes back while something is waiting")
  void receiveStaysPending() {
    console.type('x');
    console.write(0x44, 0x7ff, 4);
    assertEquals(0x10, console.read(0x3c, 4) & 0x10);
  }

  @Test
  @DisplayName("registers read back what was written; after reset transmit and receive are on")
  void keeps() {
    assertEquals(0x300, console.read(0x30, 4));
    console.write(0x24, 13, 4);
    console.write(0x2c, 0x70, 4);
    assertEquals(13, console.read(0x24, 4));
    assertEquals(0x70, console.read(0x2c, 4));
  }
}
