package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class Phb4LayoutTest {
  @Test
  @DisplayName("PHB3 and PHB4: fields and registers are where another publication has them")
  void secondSource() throws IOException {
    LayoutSource layouts = LayoutSource.ofPackage(Phb4Registers.class);
    layouts.agree("qemu-pnv-phb4.txt");
    layouts.agree("qemu-pnv-phb3.txt");
  }

  @Test
  @DisplayName(
      "a TVE as qemu-notes 9 writes it: table >> 12 << 16, levels << 13, log2 entries - 8, page shift - 11")
  void tve() {
    long tve = TveLayout.tables(0x1234_5000L, 2, 9, 16);
    assertEquals(0x1_2345L << 16 | 1 << 13 | 1 << 8 | 5, tve);
    assertEquals(0x1234_5000L, TveLayout.table(tve));
    assertEquals(9, TveLayout.entriesShift(tve));
    assertEquals(16, TveLayout.pageShift(tve));
    assertEquals(2 * 7 + 1, TveLayout.index(7, 1L << 59 | 0x1000));
  }

  @Test
  @DisplayName(
      "an untranslated TVE holds addresses below 2^50 (skiboot phb4_map_pe_dma_window_real)")
  void untranslated() {
    long tve = TveLayout.untranslated();
    assertEquals(0, TveLayout.IO_PSIZE.get(tve));
    assertTrue(TveLayout.holds(tve, 0));
    assertTrue(TveLayout.holds(tve, (1L << 50) - 1));
    assertFalse(TveLayout.holds(tve, 1L << 50));
    assertFalse(TveLayout.holds(0, 0), "a TVE that is off");
  }
}
