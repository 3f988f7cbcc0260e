package dev.doorbell.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.WindowLayout.Part;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("R25: windows that are few and powers of two")
class WindowLayoutTest {
  private static Part part(long start, long bytes, long pa) {
    return new Part(AddressRange.ofSize(start, bytes), pa, Protection.READ_WRITE);
  }

  @Test
  @DisplayName("one mapping from 0: one window")
  void one() {
    assertEquals(1, WindowLayout.of(List.of(part(0, 0x2000_0000, 0)), 256).orElseThrow().count());
    assertEquals(1, WindowLayout.of(List.of(), 256).orElseThrow().count());
  }

  @Test
  @DisplayName("RAM and a doorbell behind it: as few sub-windows as the smaller one's place needs")
  void ramAndDoorbell() {
    WindowLayout l =
        WindowLayout.of(
                List.of(part(0, 0x2000_0000, 0x4000_0000), part(0x3000_0000, 0x1000, 0xf000)), 256)
            .orElseThrow();
    assertEquals(0x4000_0000, l.bytes());
    assertEquals(4, l.count());
    assertEquals(3, l.pieces().size());
    assertEquals(0x5000_0000, l.pieces().get(1).pa().value());
  }

  @Test
  @DisplayName(
      "neighbours that lead on lie each by itself, so that one stays where it is when the other goes")
  void runs() {
    WindowLayout l =
        WindowLayout.of(List.of(part(0x1000, 0x2000, 0x1000), part(0, 0x1000, 0)), 256)
            .orElseThrow();
    assertEquals(4, l.count());
    assertEquals(List.of(0, 1, 2), l.pieces().stream().map(WindowLayout.Piece::slot).toList());
    assertTrue(
        WindowLayout.of(
                List.of(part(0x800_0000, 0x1000, 0x4000), part(0x800_1000, 0x1000, 0x5000)), 256)
            .isEmpty());
  }

  @Test
  @DisplayName(
      "no layout: too many slots, memory that is not aligned to its piece, two mappings in one slot")
  void none() {
    assertEquals(
        Optional.empty(),
        WindowLayout.of(List.of(part(0x1000, 0x1000, 0), part(0x100_0000, 0x1000, 0)), 256));
    assertTrue(WindowLayout.of(List.of(part(0, 0x10_0000, 0x8_0000)), 1).isEmpty());
    assertEquals(
        2, WindowLayout.of(List.of(part(0, 0x10_0000, 0x8_0000)), 256).orElseThrow().count());
  }
}
