package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Messages of IBM host bridges, by two publications")
class PhbMessageLayoutTest {
  /// QEMU 10.0, `pnv_phb4_msi_write`: the number as the hardware takes it out.
  private static int bySecondSource(long address, int data) {
    return (int) (address >> 4 & 0xffff) | data & 0x1f;
  }

  @Test
  @DisplayName("every number: composed as skiboot does, taken apart as QEMU does")
  void everyNumber() {
    for (int n = 0; n < PhbMessageLayout.MOST_HIGH; n++) {
      long address = PhbMessageLayout.address64(n);
      int data = PhbMessageLayout.data(n);
      assertEquals(1, address >>> 60);
      assertTrue(PhbMessageLayout.isMessage(address));
      assertEquals(n, PhbMessageLayout.number(address, data));
      assertEquals(n, bySecondSource(address, data));
    }
    for (int n = 0; n < PhbMessageLayout.MOST_LOW; n++) {
      long address = PhbMessageLayout.address32(n);
      int data = PhbMessageLayout.data(n);
      assertEquals(0xffff, address >>> 16);
      assertEquals(n, PhbMessageLayout.number(address, data));
      assertEquals(n, bySecondSource(address, data) & 0xfff);
    }
  }

  @Test
  @DisplayName("DMA addresses of both windows are no messages, nor those with bits above 60")
  void noMessages() {
    assertFalse(PhbMessageLayout.isMessage(0));
    assertFalse(PhbMessageLayout.isMessage(0xfffe_ffffL));
    assertFalse(PhbMessageLayout.isMessage(0x0800_0000_0000_0000L));
    assertFalse(PhbMessageLayout.isMessage(0x3000_0000_0000_0000L));
  }
}
