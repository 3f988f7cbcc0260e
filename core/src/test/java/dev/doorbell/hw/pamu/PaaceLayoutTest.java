package dev.doorbell.hw.pamu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class PaaceLayoutTest {
  @Test
  @DisplayName(
      "WSE and WCE: as the Linux driver lists the encodings of sizes, and counts sub-windows")
  void encodings() {
    assertEquals(0xb, PaaceLayout.sizeCode(0x1000));
    assertEquals(0x13, PaaceLayout.sizeCode(0x10_0000));
    assertEquals(0x1f, PaaceLayout.sizeCode(0x1_0000_0000L));
    assertEquals("0x100000000", PaaceLayout.size(0x1f));
    assertEquals(0xffff_ffffL, PaaceLayout.last(0x1f));
    assertEquals("0x10000000000000000", PaaceLayout.size(0x3f));
    assertEquals(-1, PaaceLayout.last(0x3f));
    assertEquals(0, PaaceLayout.countCode(2));
    assertEquals(7, PaaceLayout.countCode(256));
    assertEquals(256, PaaceLayout.count(7));
  }
}
