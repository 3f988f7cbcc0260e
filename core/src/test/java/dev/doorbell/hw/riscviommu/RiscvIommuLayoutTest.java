package dev.doorbell.hw.riscviommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RISC-V IOMMU 1.0: tables")
class RiscvIommuLayoutTest {
  @Test
  @DisplayName("MSI page table entries: bits as Linux 6.18 `iommu-bits.h` prints them")
  void msiPtes() {
    assertEquals(0x1L, MsiPteLayout.V.mask());
    assertEquals(0x6L, MsiPteLayout.M.mask());
    assertEquals(0x3f_ffff_ffff_fc00L, MsiPteLayout.PPN.mask());
    assertEquals(0x8000_0000_0000_0000L, MsiPteLayout.C.mask());
    assertEquals(0x3f_ffff_ffff_ff80L, MsiPteLayout.MRIF_ADDR.mask());
    assertEquals(0x3ffL, MsiPteLayout.NID.mask());
    assertEquals(0x1000_0000_0000_0000L, MsiPteLayout.N10.mask());
  }

  @Test
  @DisplayName("2.3: widths of device_id by levels, base and extended format")
  void widths() {
    assertEquals(
        List.of(7, 16, 24),
        List.of(1, 2, 3).stream().map(l -> DirectoryLayout.deviceIdBits(l, false)).toList());
    assertEquals(
        List.of(6, 15, 24),
        List.of(1, 2, 3).stream().map(l -> DirectoryLayout.deviceIdBits(l, true)).toList());
    assertEquals(0x7f, DirectoryLayout.index(0xff_ffff, 0, false));
    assertEquals(0x1ff, DirectoryLayout.index(0xff_ffff, 1, false));
    assertEquals(0xff, DirectoryLayout.index(0xff_ffff, 2, false));
    assertEquals(0x1ff, DirectoryLayout.index(0xff_ffff, 2, true));
  }

  @Test
  @DisplayName("2.3.3: extract packs the bits under the mask; the manual's own example")
  void extract() {
    assertEquals(0b1011, MsiPteLayout.extract(0b1101_0111, 0b1010_0110) | 0b0000);
  }
}
