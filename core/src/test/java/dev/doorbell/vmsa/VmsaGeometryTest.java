package dev.doorbell.vmsa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.Granule;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VmsaGeometryTest {
  @ParameterizedTest
  @DisplayName(
      "DDI 0487 D8.2: start level, start table size and T0SZ of granule, stage and input width")
  @CsvSource({
    // granule shift, stage, input, output, start level, start tables, start table entries, SL0
    "12, STAGE1, 48, 44, 0,  1,  512, 2",
    "12, STAGE1, 39, 44, 1,  1,  512, 1",
    "12, STAGE1, 25, 32, 2,  1,   16, 0",
    "12, STAGE2, 48, 48, 0,  1,  512, 2",
    "12, STAGE2, 44, 44, 0,  1,   32, 2",
    "12, STAGE2, 43, 44, 1, 16, 8192, 1",
    "12, STAGE2, 40, 40, 1,  2, 1024, 1",
    "12, STAGE2, 32, 32, 2,  4, 2048, 0",
    "12, STAGE2, 25, 32, 2,  1,   16, 0",
    "14, STAGE1, 48, 44, 0,  1,    2, 3",
    "14, STAGE1, 47, 44, 1,  1, 2048, 2",
    "14, STAGE2, 48, 48, 1,  2, 4096, 2",
    "14, STAGE2, 40, 40, 2, 16, 32768, 1",
    "14, STAGE2, 44, 44, 1,  1,  256, 2",
    "16, STAGE1, 48, 48, 1,  1,   64, 2",
    "16, STAGE1, 42, 44, 2,  1, 8192, 1",
    "16, STAGE2, 46, 48, 2, 16, 131072, 1",
    "16, STAGE2, 48, 52, 1,  1,   64, 2",
  })
  void startLevels(
      int shift, Stage stage, int input, int output, int level, int tables, int entries, int sl0) {
    VmsaGeometry g = VmsaGeometry.of(new Granule(shift), stage, input, output);
    assertEquals(level, g.startLevel());
    assertEquals(tables, g.startTables());
    assertEquals(entries, g.entries(g.startLevel()));
    assertEquals(64 - input, g.t0sz());
    if (stage == Stage.STAGE2) {
      assertEquals(sl0, g.sl0());
      assertEquals(level, VmsaGeometry.decodeSl0(g.granule(), sl0));
    }
  }

  @ParameterizedTest
  @DisplayName("RISC-V 20240411, 12.4 to 12.6 and 18.5.1: levels, and first tables of four pages")
  @CsvSource({
    "STAGE1, 3, 39,  1, 1,  512, 0x40201000",
    "STAGE1, 4, 48,  0, 1,  512, 0x40201000",
    "STAGE1, 5, 57, -1, 1,  512, 0x40201000",
    "STAGE2, 3, 41,  1, 4, 2048, 0x40201000",
    "STAGE2, 4, 50,  0, 4, 2048, 0x40201000",
    "STAGE2, 5, 59, -1, 4, 2048, 0x40201000",
  })
  void wide(Stage stage, int levels, int input, int level, int tables, int entries, String sizes) {
    VmsaGeometry g = VmsaGeometry.wide(stage, levels, 56);
    assertEquals(input, g.inputBits());
    assertEquals(level, g.startLevel());
    assertEquals(tables, g.startTables());
    assertEquals(entries, g.entries(level));
    assertEquals(tables * 0x1000L, g.tableAlignment(level));
    assertEquals(entries - 1, g.index((1L << input) - 1, level));
    assertEquals(Long.decode(sizes), g.pageSizes());
    assertThrows(IllegalArgumentException.class, () -> VmsaGeometry.wide(stage, levels, 57));
  }

  @Test
  @DisplayName("Arm has no five levels and no 56 bits, whatever other architectures have")
  void armIsNarrower() {
    assertThrows(
        IllegalArgumentException.class, () -> VmsaGeometry.of(Granule.K4, Stage.STAGE1, 57, 48));
    assertThrows(
        IllegalArgumentException.class, () -> VmsaGeometry.of(Granule.K4, Stage.STAGE1, 48, 56));
    assertThrows(IllegalArgumentException.class, () -> VmsaGeometry.wide(Stage.STAGE1, 6, 48));
    assertThrows(IllegalArgumentException.class, () -> VmsaGeometry.wide(Stage.STAGE2, 2, 48));
  }

  @ParameterizedTest
  @DisplayName("DDI 0487 D8.3.1: block sizes of each granule")
  @CsvSource({
    "12, 48, 0x40201000",
    "14, 48, 0x2004000",
    "16, 48, 0x20010000",
    "16, 52, 0x40020010000",
  })
  void pageSizes(int shift, int output, String sizes) {
    VmsaGeometry g = VmsaGeometry.of(new Granule(shift), Stage.STAGE1, 48, output);
    assertEquals(Long.decode(sizes), g.pageSizes());
  }

  @Test
  @DisplayName("What has no encoding is refused with the numbers")
  void refused() {
    var narrow =
        assertThrows(
            IllegalArgumentException.class,
            () -> VmsaGeometry.of(Granule.K4, Stage.STAGE1, 24, 44));
    assertEquals("an input address of 24 bits is outside 25 to 48", narrow.getMessage());
    var wide =
        assertThrows(
            IllegalArgumentException.class,
            () -> VmsaGeometry.of(Granule.K4, Stage.STAGE1, 48, 52));
    assertEquals("an output address of 52 bits needs the 64K granule, not 4K", wide.getMessage());
    var level =
        assertThrows(
            IllegalArgumentException.class,
            () -> new VmsaGeometry(Granule.K4, Stage.STAGE1, 48, 48, 1));
    assertEquals(
        "start level 1 would resolve 18 bits of a 48-bit input with granule 4K; it can resolve 1 to 9",
        level.getMessage());
  }
}
