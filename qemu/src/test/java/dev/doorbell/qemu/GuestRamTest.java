package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusErrorException;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RAM of QEMU's machine, shared with this process")
class GuestRamTest {
  private static final long START = 0x4000_0000L;

  @Test
  @DisplayName("a quadword is changed in one, where it is as expected and nowhere else")
  void updates() {
    try (Arena arena = Arena.ofConfined()) {
      GuestRam ram = new GuestRam(arena.allocate(0x1000, Long.BYTES), START);
      ram.write64(START + 8, 0x1122_3344_5566_7788L);
      assertFalse(ram.compareAndSet64(START + 8, 1, 2));
      assertEquals(0x1122_3344_5566_7788L, ram.read64(START + 8));
      assertTrue(ram.compareAndSet64(START + 8, 0x1122_3344_5566_7788L, 0xff00L));
      assertEquals(0xff00L, ram.read64(START + 8));
      assertEquals(0, ram.read64(START));
      assertEquals(0, ram.read64(START + 16));
      assertThrows(BusErrorException.class, () -> ram.compareAndSet64(START + 4, 0, 1));
      assertThrows(BusErrorException.class, () -> ram.compareAndSet64(START + 0x1000, 0, 1));
    }
  }
}
