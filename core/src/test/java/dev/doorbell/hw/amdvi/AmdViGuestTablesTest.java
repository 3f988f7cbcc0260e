package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.DteLayout.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Entries are written as numbers, as Linux writes them for itself with `amd_iommu=pgtbl_v2`.
@DisplayName(
    "48882 2.2.6: guest I/O page tables (v2) of accesses without a PASID; 2.1.3: exclusion range")
class AmdViGuestTablesTest {
  private static final int DEVICE = 0x12;
  private static final long DEVICES = 0x10_0000;
  private static final long GCR3 = 0x9_8765_4000L;
  private static final long ROOT = 0x20_0000;
  private static final long IOVA = 0x7f12_3456_7abcL;

  /// P, R/W, U/S, A, D.
  private static final long OPEN = 0x67;

  private final Map<Long, Long> memory = new HashMap<>();
  private final Map<String, Long> registers =
      new HashMap<>(Map.of("DEVTAB_BASE", DEVICES, "CONTROL", 0x1_0001L));

  private void dte(int word, long value) {
    memory.put(DEVICES + DEVICE * 32L + word * 8L, value);
  }

  /// V, TV, GIoV, GV, GLX, IR, IW, and the table's address in its three pieces.
  private void translating(int glx) {
    dte(0, 0x60c0_0000_0000_0003L | (long) glx << 56 | (GCR3 >>> 12 & 7) << 58);
    dte(1, 5 | (GCR3 >>> 15 & 0xffff) << 16 | GCR3 >>> 31 << 43);
  }

  private static long index(long iova, int level) {
    return iova >>> 12 + 9 * (level - 1) & 0x1ff;
  }

  /// Tables at ROOT and on, one after the other, that end at a level with a leaf.
  private void tables(int levels, int last, long leaf) {
    for (int level = levels; level >= last; level--) {
      long table = ROOT + (levels - level) * 0x1000L;
      memory.put(table + index(IOVA, level) * 8, level == last ? leaf : table + 0x1000 | OPEN);
    }
  }

  private AmdViWalk walk(long iova, boolean write) {
    return new AmdViWalker("amd-vi", registers, pa -> OptionalLong.of(memory.getOrDefault(pa, 0L)))
        .dma(DEVICE, new Iova(iova), write);
  }

  private static void stops(AmdViWalk walk, String why) {
    assertEquals(Optional.empty(), walk.output());
    assertTrue(walk.stoppedAt().orElseThrow().contains(why), walk::toString);
  }

  @ParameterizedTest
  @DisplayName(
      "pages of 4 KiB, 2 MiB and 1 GiB, through four levels and one, two or three of guest CR3 tables")
  @CsvSource({"1, 0", "2, 0", "3, 0", "1, 1", "2, 2"})
  void pages(int last, int glx) {
    translating(glx);
    for (int i = 0; i < glx; i++) {
      memory.put(GCR3 + i * 0x1000L, GCR3 + (i + 1) * 0x1000L | 1);
    }
    memory.put(GCR3 + glx * 0x1000L, ROOT | 1);
    tables(4, last, 0x40_0000_0000L | OPEN | (last > 1 ? 0x80 : 0));
    long offset = IOVA & (1L << 12 + 9 * (last - 1)) - 1;
    assertEquals(Optional.of(new Pa(0x40_0000_0000L | offset)), walk(IOVA, true).output());
    assertEquals(Optional.of(new Pa(0x40_0000_0000L | offset)), walk(IOVA, false).output());
  }

  @Test
  @DisplayName("GuestPagingMode 1 has five levels; addresses must be canonical in 48 and 57 bits")
  void fiveLevels() {
    translating(0);
    memory.put(GCR3, ROOT | 1);
    tables(5, 1, 0x5000 | OPEN);
    dte(2, 1L << 54);
    assertEquals(Optional.of(new Pa(0x5abc)), walk(IOVA, true).output());
    stops(walk(1L << 56, true), "not canonical in 57 bits");
    dte(2, 0);
    stops(walk(1L << 47, true), "not canonical in 48 bits");
    dte(2, 2L << 54);
    stops(walk(IOVA, true), "ILLEGAL_DEV_TABLE_ENTRY");
  }

  @ParameterizedTest
  @DisplayName(
      "what an entry denies is IO_PAGE_FAULT: absent, read-only, a supervisor's, reserved bits of large pages")
  @CsvSource({
    "1, 0x5066, P=0",
    "1, 0x5065, R/W=0",
    "1, 0x5063, U/S=0",
    "2, 0x2020e7, reserved bits",
    "3, 0x402000e7, reserved bits",
    "4, 0xe7, reserved bits"
  })
  void denied(int last, String entry, String why) {
    translating(0);
    memory.put(GCR3, ROOT | 1);
    tables(4, last, Long.decode(entry));
    stops(walk(IOVA, true), why);
  }

  @Test
  @DisplayName(
      "PASID 0 without tables, reserved bits of its entry, guest tables that Control has off")
  void roots() {
    translating(0);
    stops(walk(IOVA, true), "PASID 0 has no tables");
    memory.put(GCR3, ROOT | 0x21);
    stops(walk(IOVA, true), "reserved bits");
    translating(3);
    stops(walk(IOVA, true), "GLX or GuestPagingMode is reserved");
    registers.put("CONTROL", 1L);
    translating(0);
    stops(walk(IOVA, true), "Control.GTEn=0");
  }

  @Test
  @DisplayName(
      "2.2.7: behind guest tables the host's translate each table and the page; what they lack ends the walk")
  void nested() {
    translating(0);
    dte(0, 0x60c0_0000_0000_0003L | (GCR3 >>> 12 & 7) << 58 | 0x70_0000 | 2 << 9);
    memory.put(GCR3, 0x5000L | 1);
    // Guest physical 5000h to 9000h lie at 105000h to 109000h.
    memory.put(0x70_0000L, 0x6000_0000_0070_1201L);
    for (long page = 5; page <= 9; page++) {
      memory.put(0x70_1000L + page * 8, 0x6000_0000_0010_0001L + page * 0x1000);
    }
    for (int level = 4; level >= 1; level--) {
      long at = 0x10_5000L + (4 - level) * 0x1000L + index(IOVA, level) * 8;
      memory.put(at, 0x6000 + (4 - level) * 0x1000L | OPEN);
    }
    assertEquals(Optional.of(new Pa(0x10_9abc)), walk(IOVA, true).output());
    memory.put(0x70_1000L + 9 * 8, 0x2000_0000_0010_9001L);
    assertEquals(Optional.of(new Pa(0x10_9abc)), walk(IOVA, false).output());
    stops(walk(IOVA, true), "IW=0");
    memory.remove(0x70_1000L + 7 * 8);
    stops(walk(IOVA, false), "PR=0");
  }

  @ParameterizedTest
  @DisplayName("with GIoV=0 an access without a PASID is the host tables' alone")
  @ValueSource(longs = {0x6080_0000_0000_0003L, 0x60a0_0000_0000_0003L})
  void hostAlone(long dte) {
    dte(0, dte);
    assertEquals(Optional.of(new Pa(0x1234)), walk(0x1234, true).output());
  }

  @ParameterizedTest
  @DisplayName(
      "an address in the exclusion range passes where ExEn and Allow or the entry's EX say so")
  @CsvSource({
    "1, true, true",
    "3, false, true",
    "3, true, true",
    "1, false, false",
    "2, true, false",
    "0, true, false"
  })
  void exclusion(int control, boolean ex, boolean passes) {
    // Four levels of empty tables.
    dte(0, 0x6000_0000_0000_0003L | 4 << 9 | 0x70_0000);
    dte(1, ex ? 1L << 39 : 0);
    registers.put("EXCL_BASE", 0x8000L | control);
    registers.put("EXCL_LIMIT", 0x9000L);
    AmdViWalk inside = walk(0x9fff, true);
    assertEquals(passes, inside.output().isPresent(), inside::toString);
    stops(walk(0xa000, true), "IO_PAGE_FAULT");
    stops(walk(0x7fff, true), "IO_PAGE_FAULT");
  }
}
