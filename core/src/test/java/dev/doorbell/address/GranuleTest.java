package dev.doorbell.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Granule: a power of two, 4 KiB to 1 GiB")
class GranuleTest {
  @Test
  @DisplayName("both bounds are granules, what lies beyond is refused")
  void bounds() {
    assertEquals(0x1000, new Granule(12).bytes());
    assertEquals(0x4000_0000, new Granule(30).bytes());
    assertEquals(
        "granule of 2^11 bytes is not between 4 KiB and 1 GiB",
        assertThrows(IllegalArgumentException.class, () -> new Granule(11)).getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Granule(31));
  }

  @Test
  @DisplayName("an address splits into its granule and the offset in it, at the top too")
  void splits() {
    assertEquals(-0x4000L, Granule.K16.alignDown(-1L));
    assertEquals(0x3fff, Granule.K16.offset(-1L));
    assertEquals(0x1_4000, Granule.K16.alignDown(0x1_7fff));
    assertTrue(Granule.K16.isAligned(0x1_4000));
    assertFalse(Granule.K16.isAligned(0x1_5000));
  }

  @Test
  @DisplayName("the smaller granule comes first")
  void ordered() {
    assertTrue(Granule.K4.compareTo(Granule.K64) < 0);
    assertTrue(Granule.K64.compareTo(Granule.K16) > 0);
    assertEquals(0, Granule.K4.compareTo(new Granule(12)));
  }

  @Test
  @DisplayName("named as manuals name them, in the largest unit that is whole")
  void named() {
    assertEquals("4K", Granule.K4.toString());
    assertEquals("512K", new Granule(19).toString());
    assertEquals("1M", new Granule(20).toString());
    assertEquals("512M", new Granule(29).toString());
    assertEquals("1G", new Granule(30).toString());
  }
}
