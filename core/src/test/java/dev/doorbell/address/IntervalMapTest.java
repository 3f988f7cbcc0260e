package dev.doorbell.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@DisplayName("IntervalMap: disjoint ranges with values")
class IntervalMapTest {
  /// A mapping's target moves along with the start of a piece.
  private static final IntervalMap.Cut<Long> TARGET =
      (value, whole, piece) -> value + (piece.start() - whole.start());

  private static AddressRange range(long start, long last) {
    return new AddressRange(start, last);
  }

  @Test
  @DisplayName("an overlap is refused, naming both ranges, and changes nothing")
  void refusesOverlap() {
    IntervalMap<String> map = new IntervalMap<>();
    map.insert(range(0x1000, 0x1fff), "a");
    var e =
        assertThrows(IllegalArgumentException.class, () -> map.insert(range(0x1fff, 0x2fff), "b"));
    assertEquals(
        "range [0x1fff, 0x2fff] overlaps [0x1000, 0x1fff], which is already there", e.getMessage());
    assertEquals(1, map.size());
    map.insert(range(0x2000, 0x2fff), "b");
    assertEquals("{[0x1000, 0x1fff]=a, [0x2000, 0x2fff]=b}", map.toString());
  }

  @Test
  @DisplayName("floor and find at the ends of ranges and of the space")
  void looksUp() {
    IntervalMap<String> map = new IntervalMap<>();
    assertEquals(Optional.empty(), map.floor(-1L));
    map.insert(range(0x10, 0x1f), "low");
    map.insert(range(-16L, -1L), "top");
    assertEquals(Optional.empty(), map.floor(0xf));
    assertEquals("low", map.floor(0x10).orElseThrow().value());
    assertEquals("low", map.floor(-17L).orElseThrow().value());
    assertEquals(Optional.empty(), map.find(0x20));
    assertEquals("top", map.find(-1L).orElseThrow().value());
    assertFalse(map.overlaps(range(0x20, -17L)));
    assertTrue(map.overlaps(range(0x1f, 0x20)));
    assertEquals("top", map.firstOverlap(range(0x20, -1L)).orElseThrow().value());
  }

  @Test
  @DisplayName("removing a part leaves pieces whose values are cut")
  void cutsValues() {
    IntervalMap<Long> map = new IntervalMap<>();
    map.insert(range(0x1000, 0x4fff), 0x9000_1000L);
    List<IntervalMap.Entry<Long>> removed = map.remove(range(0x2000, 0x2fff), TARGET);
    assertEquals(List.of(new IntervalMap.Entry<>(range(0x2000, 0x2fff), 0x9000_2000L)), removed);
    assertEquals(
        List.of(
            new IntervalMap.Entry<>(range(0x1000, 0x1fff), 0x9000_1000L),
            new IntervalMap.Entry<>(range(0x3000, 0x4fff), 0x9000_3000L)),
        map.overlapping(AddressRange.ALL));
    assertEquals(List.of(), map.remove(range(0x2000, 0x2fff), TARGET));
  }

  @Test
  @DisplayName("a cut that throws leaves the map as it was")
  void cutThatThrows() {
    IntervalMap<Long> map = new IntervalMap<>();
    map.insert(range(0x1000, 0x4fff), 1L);
    assertThrows(
        IllegalStateException.class,
        () ->
            map.remove(
                range(0x2000, 0x2fff),
                (_, _, _) -> {
                  throw new IllegalStateException("no");
                }));
    assertEquals("{[0x1000, 0x4fff]=1}", map.toString());
  }

  @Test
  @DisplayName("removing exactly: only the same start and last")
  void removesExactly() {
    IntervalMap<String> map = new IntervalMap<>();
    map.insert(range(0, -1L), "all");
    assertEquals(Optional.empty(), map.removeExact(range(0, 5)));
    assertEquals(Optional.empty(), map.removeExact(range(1, -1L)));
    assertEquals(Optional.of("all"), map.removeExact(AddressRange.ALL));
    assertTrue(map.isEmpty());
  }

  @Test
  @DisplayName("an iterator ends")
  void iteratorEnds() {
    IntervalMap<String> map = new IntervalMap<>();
    map.insert(range(1, 2), "a");
    Iterator<IntervalMap.Entry<String>> it = map.iterator();
    assertEquals("a", it.next().value());
    assertFalse(it.hasNext());
    assertThrows(NoSuchElementException.class, it::next);
  }

  private static AddressRange slot(int slot) {
    return AddressRange.ofSize((long) slot << 13, 0x1000);
  }

  /// Holds a map to be just the slots of a model, by walking it and by asking for each.
  private static void checkSlots(TreeSet<Integer> model, IntervalMap<Integer> map) {
    List<Integer> walked = new ArrayList<>();
    map.forEach(e -> walked.add(e.value()));
    assertEquals(List.copyOf(model), walked);
    assertEquals(model.size(), map.size());
    assertEquals(model.isEmpty(), map.isEmpty());
    for (int i = 0; i < 2000; i++) {
      boolean there = model.contains(i);
      assertEquals(there ? i : -1, map.find(slot(i).last()).map(e -> e.value()).orElse(-1));
      assertEquals(there, map.overlaps(slot(i)));
      assertTrue(map.find(slot(i).last() + 1).isEmpty());
    }
  }

  @Test
  @DisplayName("entries of many leaves: filled, hollowed out, filled again, thinned out, cleared")
  void manyLeaves() {
    IntervalMap<Integer> map = new IntervalMap<>();
    TreeSet<Integer> model = new TreeSet<>();
    for (int i = 0; i < 2000; i++) {
      int at = i * 1237 % 2000; // visits every slot once, out of order
      map.insert(slot(at), at);
      model.add(at);
    }
    checkSlots(model, map);
    assertEquals(
        1400, map.remove(range(slot(300).start(), slot(1699).last()), (v, _, _) -> v).size());
    model.subSet(300, 1700).clear();
    checkSlots(model, map);
    for (int at = 1699; at >= 300; at--) {
      map.insert(slot(at), at);
      model.add(at);
    }
    checkSlots(model, map);
    for (int at = 0; at < 2000; at++) {
      if (at % 7 != 0) {
        assertEquals(Optional.of(at), map.removeExact(slot(at)));
        model.remove(at);
      }
    }
    checkSlots(model, map);
    map.clear();
    model.clear();
    checkSlots(model, map);
    map.insert(slot(5), 5);
    model.add(5);
    checkSlots(model, map);
  }

  @Tag("large")
  @Test
  @DisplayName("a million entries: inserted, found, thinned out, removed at once")
  void aMillionEntries() {
    int count = 1_000_000;
    IntervalMap<Integer> map = new IntervalMap<>();
    for (int i = 0; i < count; i++) {
      // Odd multiples visit every slot once, out of order.
      int slot = (int) ((long) i * 314_159_261L % count);
      map.insert(AddressRange.ofSize((long) slot << 13, 0x1000), slot);
    }
    assertEquals(count, map.size());
    for (int slot = 0; slot < count; slot += 997) {
      assertEquals(slot, map.find(((long) slot << 13) + 0xfff).orElseThrow().value());
      assertTrue(map.find(((long) slot << 13) + 0x1000).isEmpty());
    }
    for (int slot = 0; slot < count; slot += 2) {
      map.removeExact(AddressRange.ofSize((long) slot << 13, 0x1000));
    }
    assertEquals(count / 2, map.size());
    assertEquals(count / 2, map.remove(AddressRange.ALL, (value, _, _) -> value).size());
    assertTrue(map.isEmpty());
  }
}
