package dev.doorbell.hw.gicv2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bits.Decoded;
import dev.doorbell.bits.Layout;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class GicV2LayoutTest {
  @Test
  @DisplayName(
      "IHI 0048 4.3.2, 4.4.15: identification registers of Arm's GIC-400 r0p1 (DDI 0471B 3.2, 3.3)")
  void golden() {
    // GICD_IIDR, ICPIDR2 and GICC_IIDR as DDI 0471B prints them.
    assertEquals(
        "ProductID=0x2 Variant=0x0 Revision=0x1 Implementer=0x43b",
        text(GicdRegisters.IIDR_LAYOUT, 0x0200_143bL));
    assertEquals("ArchRev=0x2 (GICv2)", text(GicdRegisters.PIDR2_LAYOUT, 0x2b));
    assertEquals(
        "ProductID=0x20 Architecture version=0x2 Revision=0x1 Implementer=0x43b",
        text(GiccRegisters.IIDR_LAYOUT, 0x0202_143bL));
  }

  private static String text(Layout layout, long word) {
    return layout.decode(word).stream().map(Decoded::toString).collect(Collectors.joining(" "));
  }
}
