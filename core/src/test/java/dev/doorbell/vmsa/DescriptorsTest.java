package dev.doorbell.vmsa;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.Granule;
import dev.doorbell.iommu.Protection;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DescriptorsTest {
  private static final int PAGE = 3;

  private static Protection protection(String name) {
    return switch (name) {
      case "DOORBELL" -> Protection.DOORBELL;
      case "READ_WRITE" -> Protection.READ_WRITE;
      default -> Protection.READ_ONLY;
    };
  }

  @ParameterizedTest
  @DisplayName(
      "DDI 0487 D8.3.1, D8.5, D8.6: permissions, access flag, shareability and memory type of a page, bit for bit")
  @CsvSource({
    // Device-nGnRE by AttrIndx 2, outer shareable, never executed, not global.
    "STAGE1, DOORBELL, 0x0060000008090e4b",
    "STAGE1, READ_WRITE, 0x0000000008090f47",
    "STAGE1, READ_ONLY, 0x0000000008090fc7",
    // Device-nGnRE by MemAttr 1, outer shareable, never executed, write-only.
    "STAGE2, DOORBELL, 0x0040000008090687",
    "STAGE2, READ_WRITE, 0x00000000080907ff",
    "STAGE2, READ_ONLY, 0x000000000809077f",
  })
  void leaf(Stage stage, String protection, String expected) {
    VmsaGeometry g = VmsaGeometry.of(Granule.K4, stage, 44, 44);
    assertEquals(
        Long.decode(expected), Descriptors.leaf(g, PAGE, 0x0809_0000L, protection(protection)));
  }

  @ParameterizedTest
  @DisplayName("DDI 0487 D8.3.1: of a 52-bit address with 64 KiB, bits 51:48 stand in 15:12")
  @CsvSource({"STAGE1, 0x006012345678ae4b", "STAGE2, 0x004012345678a687"})
  void wide(Stage stage, String expected) {
    VmsaGeometry g = VmsaGeometry.of(Granule.K64, stage, 48, 52);
    long pa = 0xa_1234_5678_0000L;
    assertEquals(Long.decode(expected), Descriptors.leaf(g, PAGE, pa, Protection.DOORBELL));
    assertEquals(pa, Descriptors.address(g, Long.decode(expected)));
    assertEquals(0x1234_5678_a003L, Descriptors.table(g, pa));
  }
}
