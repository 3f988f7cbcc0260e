package dev.doorbell.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("AddressRange: inclusive, unsigned, up to the last address")
class AddressRangeTest {
  private static AddressRange range(long start, long last) {
    return new AddressRange(start, last);
  }

  @Test
  @DisplayName("a size of 0 and one that passes the top are refused; the last byte is a range")
  void ofSize() {
    assertEquals(range(0x1000, 0x1fff), AddressRange.ofSize(0x1000, 0x1000));
    assertEquals(range(-1L, -1L), AddressRange.ofSize(-1L, 1));
    assertEquals(
        "range at 0x1000 has no bytes",
        assertThrows(IllegalArgumentException.class, () -> AddressRange.ofSize(0x1000, 0))
            .getMessage());
    assertEquals(
        "range ends at 0x0, before its start 0xffffffffffffffff",
        assertThrows(IllegalArgumentException.class, () -> AddressRange.ofSize(-1L, 2))
            .getMessage());
    assertEquals(0, AddressRange.ALL.bytes());
    assertEquals(1, range(7, 7).bytes());
  }

  @Test
  @DisplayName("both ends are inside, their neighbours are not, also across the sign bit")
  void contains() {
    AddressRange r = range(0x7fff_ffff_ffff_ffffL, 0x8000_0000_0000_0001L);
    assertTrue(r.contains(0x7fff_ffff_ffff_ffffL));
    assertTrue(r.contains(0x8000_0000_0000_0001L));
    assertFalse(r.contains(0x7fff_ffff_ffff_fffeL));
    assertFalse(r.contains(0x8000_0000_0000_0002L));
    assertTrue(r.contains(r));
    assertFalse(r.contains(range(r.start() - 1, r.last())));
    assertFalse(r.contains(range(r.start(), r.last() + 1)));
  }

  @Test
  @DisplayName("ranges that share one address overlap there; neighbours do not")
  void overlaps() {
    AddressRange r = range(0x1000, 0x1fff);
    assertEquals(Optional.of(range(0x1fff, 0x1fff)), r.intersection(range(0x1fff, -1L)));
    assertEquals(Optional.of(range(0x1000, 0x1000)), r.intersection(range(0, 0x1000)));
    assertEquals(Optional.of(range(0x1100, 0x11ff)), r.intersection(range(0x1100, 0x11ff)));
    assertEquals(Optional.of(r), r.intersection(AddressRange.ALL));
    assertEquals(Optional.empty(), r.intersection(range(0x2000, -1L)));
    assertEquals(Optional.empty(), r.intersection(range(0, 0xfff)));
  }

  @Test
  @DisplayName("ordered by start, then by last, unsigned")
  void ordered() {
    List<AddressRange> order = List.of(range(0, 1), range(0, -1L), range(1, 1), range(-1L, -1L));
    assertEquals(order, order.reversed().stream().sorted().toList());
    assertEquals(0, range(3, 4).compareTo(range(3, 4)));
  }

  @Test
  @DisplayName("the last address of 32 bits is below 4 GiB, the next is not")
  void below4GiB() {
    assertTrue(range(0, 0xffff_ffffL).isBelow4GiB());
    assertFalse(range(0, 0x1_0000_0000L).isBelow4GiB());
    assertFalse(range(0, -1L).isBelow4GiB());
  }
}
