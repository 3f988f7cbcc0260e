package dev.doorbell.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IntervalSet: disjoint inclusive ranges up to the last address")
class IntervalSetTest {
  private static AddressRange range(long start, long last) {
    return new AddressRange(start, last);
  }

  @Test
  @DisplayName("ranges that overlap or only touch become one")
  void joinsNeighbours() {
    IntervalSet set = IntervalSet.of(range(0x1000, 0x1fff), range(0x3000, 0x3fff));
    assertEquals(2, set.size());
    set.add(range(0x2000, 0x2fff));
    assertEquals(List.of(range(0x1000, 0x3fff)), set.ranges());
    set.add(range(0xfff, 0x1800));
    assertEquals(List.of(range(0xfff, 0x3fff)), set.ranges());
  }

  @Test
  @DisplayName("one address apart stays two ranges")
  void keepsAGapOfOne() {
    IntervalSet set = IntervalSet.of(range(0, 9), range(11, 20));
    assertEquals(2, set.size());
    assertEquals(List.of(range(10, 10)), set.gaps(range(0, 20)));
  }

  @Test
  @DisplayName("the whole 64-bit space is a set, and has no gap")
  void holdsEverything() {
    IntervalSet set = IntervalSet.of(AddressRange.ALL);
    assertTrue(set.contains(-1L));
    assertTrue(set.contains(AddressRange.ALL));
    assertEquals(List.of(), set.gaps(AddressRange.ALL));
    set.add(range(-1L, -1L));
    set.add(range(0, 0));
    assertEquals(List.of(AddressRange.ALL), set.ranges());
    set.remove(range(0x8000_0000_0000_0000L, 0x8000_0000_0000_0000L));
    assertEquals(
        List.of(range(0, 0x7fff_ffff_ffff_ffffL), range(0x8000_0000_0000_0001L, -1L)),
        set.ranges());
    set.remove(AddressRange.ALL);
    assertTrue(set.isEmpty());
    assertEquals(List.of(AddressRange.ALL), set.gaps(AddressRange.ALL));
  }

  @Test
  @DisplayName("the last address joins the one below it and nothing at 0")
  void doesNotWrap() {
    IntervalSet set = IntervalSet.of(range(0, 0), range(-1L, -1L));
    assertEquals(2, set.size());
    set.add(range(-2L, -2L));
    assertEquals(List.of(range(0, 0), range(-2L, -1L)), set.ranges());
    assertEquals(List.of(range(1, -3L)), set.gaps(AddressRange.ALL));
  }

  @Test
  @DisplayName("removing from the middle leaves both ends")
  void removesTheMiddle() {
    IntervalSet set = IntervalSet.of(range(0x1000, 0x4fff));
    set.remove(range(0x2000, 0x2fff));
    assertEquals(List.of(range(0x1000, 0x1fff), range(0x3000, 0x4fff)), set.ranges());
    set.remove(range(0x9000, 0xffff));
    assertEquals(2, set.size());
  }

  @Test
  @DisplayName("a range is contained only when one range of the set holds all of it")
  void containsWholeRangesOnly() {
    IntervalSet set = IntervalSet.of(range(10, 19), range(30, 39));
    assertTrue(set.contains(range(10, 19)));
    assertFalse(set.contains(range(10, 20)));
    assertFalse(set.contains(range(10, 39)));
    assertTrue(set.overlaps(range(19, 30)));
    assertFalse(set.overlaps(range(20, 29)));
    assertEquals(Optional.of(range(10, 19)), set.firstOverlap(range(0, 100)));
    assertEquals(List.of(range(10, 19), range(30, 39)), set.overlapping(range(19, 30)));
  }

  @Test
  @DisplayName("gaps are cut to the range asked for")
  void gapsAreCut() {
    IntervalSet set = IntervalSet.of(range(10, 19), range(30, 39));
    assertEquals(List.of(range(5, 9), range(20, 29), range(40, 50)), set.gaps(range(5, 50)));
    assertEquals(List.of(range(20, 29)), set.gaps(range(15, 35)));
    assertEquals(List.of(), set.gaps(range(12, 13)));
    assertEquals(List.of(range(22, 23)), set.gaps(range(22, 23)));
  }

  @Test
  @DisplayName("sets are equal by their addresses, however they came about")
  void equality() {
    IntervalSet set = IntervalSet.of(range(0x1000, 0x1fff), range(0x2000, 0x2fff));
    IntervalSet same = IntervalSet.of(range(0, 0x2fff));
    same.remove(range(0, 0xfff));
    assertEquals(set, same);
    assertEquals(set.hashCode(), same.hashCode());
    same.remove(range(0x2fff, 0x2fff));
    assertNotEquals(set, same);
    assertNotEquals(set.hashCode(), same.hashCode());
    assertNotEquals(set, (Object) set.ranges());
  }
}
