package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bits.Register;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("pci_regs.h: the declared registers against Linux's own list")
class PciLayoutSourceTest {
  @Test
  void theFourShapesOfMsiLieWhereLinuxHasThem() {
    assertEquals(8, MsiLayout.UPPER.offset());
    assertEquals(
        List.of(8L, 12L, 16L), offsets(MsiLayout.DATA_32, MsiLayout.MASK_32, MsiLayout.PENDING_32));
    assertEquals(
        List.of(12L, 16L, 20L),
        offsets(MsiLayout.DATA_64, MsiLayout.MASK_64, MsiLayout.PENDING_64));
    assertEquals(16, MsixLayout.ENTRY.bytes());
  }

  @Test
  @DisplayName(
      "linux/pci-ecam.h 6.12: PCIE_ECAM_BUS_SHIFT 20, PCIE_ECAM_DEVFN_SHIFT 12, PCIE_ECAM_REG_MASK 0xfff")
  void ecamOffsets() {
    assertEquals(0xffL << 20, EcamLayout.BUS.mask());
    assertEquals(0xffL << 12, EcamLayout.DEVICE.mask() | EcamLayout.FUNCTION.mask());
    assertEquals(3, EcamLayout.FUNCTION.width());
    assertEquals(0xfff, EcamLayout.REGISTER.mask());
  }

  private static List<Long> offsets(Register... registers) {
    return List.of(registers).stream().map(Register::offset).toList();
  }
}
