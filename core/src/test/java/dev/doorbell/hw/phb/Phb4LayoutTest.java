package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class Phb4LayoutTest {
  @Test
  @DisplayName("PHB3 and PHB4: fields and registers are where another publication has them")
  void secondSource() throws IOException {
    LayoutSource layouts = LayoutSource.ofPackage(Phb4Registers.class);
    layouts.agree("qemu-pnv-phb4.txt");
    layouts.agree("qemu-pnv-phb3.txt");
    layouts.complete(List.of("qemu-pnv-phb4.txt", "qemu-pnv-phb3.txt"), without());
  }

  /// What QEMU has no name for, by the reason.
  private static Map<String, String> without() {
    Map<String, String> out = new TreeMap<>();
    without(out, "a whole word", "PHB word.value", "PHB3 word.value");
    without(
        out,
        "skiboot alone (phb4_init_capabilities)",
        "PHB_PHB4_EEH_CAP.PEs",
        "PHB_PHB4_IRQ_CAP.interrupts",
        "PHB_TCE_KILL.address");
    without(
        out,
        "QEMU has the last of four in a word, which are alike",
        "MIST.P0",
        "MIST.P1",
        "MIST.P2",
        "MIST.Q0",
        "MIST.Q1",
        "MIST.Q2",
        "MIST.PE0",
        "MIST.PE1",
        "MIST.PE2");
    without(
        out,
        "no name in QEMU; skiboot's phb4_map_pe_dma_window_real, and a test of its own",
        "TVE, not translated.NON_TRANSLATE_50",
        "TVE, not translated.end[47:24]",
        "TVE, not translated.end[49:48]",
        "TVE, not translated.on",
        "TVE, not translated.start[47:24]",
        "TVE, not translated.start[49:48]");
    without(
        out,
        "no name in QEMU; driven on QEMU (PowerOnQemuTest), PhbMessageLayoutTest",
        "32-bit MSI address.number[11:5]",
        "32-bit MSI address.region",
        "64-bit MSI address.MSI",
        "64-bit MSI address.number[15:5]",
        "MSI data.number[4:0]",
        "DMA address, not translated.address",
        "DMA address.kind",
        "DMA address.offset",
        "DMA address.window",
        "RTE.PE",
        "TCE.R",
        "TCE.RPN",
        "TCE.W");
    without(out, "QEMU has no PELT-V and no PEEV", "PE vector.PE 0", "PE vector.PE 1..63");
    without(
        out, "the entry's bits again, in a byte", "IVE byte 4.GEN", "IVE byte 4.P", "IVE byte 5.Q");
    return out;
  }

  private static void without(Map<String, String> out, String why, String... names) {
    for (String name : names) {
      out.put(name, why);
    }
  }

  @Test
  @DisplayName("the bits of an IVE in its bytes are those of the entry")
  void ive() {
    int p = Long.SIZE - Byte.SIZE * (IveLayout.P_BYTE + 1);
    int q = Long.SIZE - Byte.SIZE * (IveLayout.Q_BYTE + 1);
    assertEquals(IveLayout.P.mask(), IveLayout.BYTE_P.mask() << p);
    assertEquals(IveLayout.GEN.mask(), IveLayout.BYTE_GEN.mask() << p);
    assertEquals(IveLayout.Q.mask(), IveLayout.BYTE_Q.mask() << q);
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
