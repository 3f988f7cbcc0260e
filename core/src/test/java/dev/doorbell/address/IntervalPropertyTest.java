package dev.doorbell.address;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Both structures against an array with one cell an address, over a window of 512 addresses laid at places where
/// unsigned arithmetic can go wrong.
@DisplayName("IntervalSet and IntervalMap agree with one cell an address")
class IntervalPropertyTest {
  private static final int CELLS = 512;

  /// Starts of windows: the bottom, across the sign bit, and up to the last address.
  private static final Long[] BASES = {0L, Long.MIN_VALUE - CELLS / 2, -(long) CELLS};

  private static AddressRange cells(long base, int from, int to) {
    return new AddressRange(base + from, base + to);
  }

  @Test
  @DisplayName("random adds, removes and questions on a set")
  void set() {
    Property.check(
        "interval set",
        150,
        random -> {
          long base = random.pick(BASES);
          IntervalSet set = new IntervalSet();
          boolean[] model = new boolean[CELLS];
          for (int step = 0; step < 200; step++) {
            int from = random.below(CELLS);
            int to = Math.min(CELLS - 1, from + random.below(random.oneIn(8) ? CELLS : 6));
            boolean add = random.nextBoolean();
            if (add) {
              set.add(cells(base, from, to));
            } else {
              set.remove(cells(base, from, to));
            }
            for (int i = from; i <= to; i++) {
              model[i] = add;
            }
            compare(set, model, base, random);
          }
        });
  }

  private static void compare(IntervalSet set, boolean[] model, long base, SeededRandom random) {
    assertEquals(runs(model, base, 0, CELLS - 1, true), set.ranges());
    int from = random.below(CELLS);
    int to = random.between(from, CELLS - 1);
    AddressRange asked = cells(base, from, to);
    List<AddressRange> gaps = runs(model, base, from, to, false);
    List<AddressRange> covered = runs(model, base, from, to, true);
    assertEquals(gaps, set.gaps(asked));
    assertEquals(gaps.isEmpty(), set.contains(asked));
    assertEquals(!covered.isEmpty(), set.overlaps(asked));
    assertEquals(model[from], set.contains(base + from));
    assertEquals(covered.size(), set.overlapping(asked).size());
  }

  /// {@return the runs of equal cells with a value, between two cells}
  private static List<AddressRange> runs(
      boolean[] model, long base, int from, int to, boolean value) {
    List<AddressRange> runs = new ArrayList<>();
    int start = -1;
    for (int i = from; i <= to + 1; i++) {
      boolean in = i <= to && model[i] == value;
      if (in && start < 0) {
        start = i;
      } else if (!in && start >= 0) {
        runs.add(cells(base, start, i - 1));
        start = -1;
      }
    }
    return runs;
  }

  @Test
  @DisplayName("random inserts, cuts, exact removals and questions on a map")
  void map() {
    Property.check(
        "interval map",
        150,
        random -> {
          long base = random.pick(BASES);
          IntervalMap<Long> map = new IntervalMap<>();
          Cells model = new Cells(base);
          // Short ranges, so that leaves fill, split, empty and merge.
          for (int step = 0; step < 900; step++) {
            model.step(map, random);
          }
        });
  }

  /// The naive map: the value of a cell is that of its range plus the cell's distance from the start; a cut keeps it.
  private static final class Cells {
    private static final IntervalMap.Cut<Long> CUT =
        (value, whole, piece) -> value + (piece.start() - whole.start());

    private final long base;
    private final long[] value = new long[CELLS];
    // Cell where an entry starts -> cell where it ends.
    private final TreeMap<Integer, Integer> entries = new TreeMap<>();
    private long nextValue = 1;

    Cells(long base) {
      this.base = base;
    }

    void step(IntervalMap<Long> map, SeededRandom random) {
      int from = random.below(CELLS);
      int to = Math.min(CELLS - 1, from + random.below(3));
      switch (random.below(8)) {
        case 0 -> removeExact(map, from, to);
        case 1 -> remove(map, from, random.oneIn(20) ? CELLS - 1 : Math.min(CELLS - 1, to + 4));
        default -> insert(map, from, to);
      }
      check(map, random);
    }

    private boolean free(int from, int to) {
      for (int i = from; i <= to; i++) {
        if (value[i] != 0) {
          return false;
        }
      }
      return true;
    }

    private void insert(IntervalMap<Long> map, int from, int to) {
      boolean free = free(from, to);
      long put = nextValue;
      nextValue += CELLS;
      boolean inserted;
      try {
        map.insert(cells(base, from, to), put);
        inserted = true;
      } catch (IllegalArgumentException overlap) {
        inserted = false;
      }
      assertEquals(free, inserted);
      if (free) {
        for (int i = from; i <= to; i++) {
          value[i] = put + (i - from);
        }
        entries.put(from, to);
      }
    }

    private void removeExact(IntervalMap<Long> map, int from, int to) {
      boolean there = Integer.valueOf(to).equals(entries.get(from));
      assertEquals(there, map.removeExact(cells(base, from, to)).isPresent());
      if (there) {
        entries.remove(from);
        java.util.Arrays.fill(value, from, to + 1, 0);
      }
    }

    private void remove(IntervalMap<Long> map, int from, int to) {
      List<IntervalMap.Entry<Long>> expected = new ArrayList<>();
      TreeMap<Integer, Integer> left = new TreeMap<>();
      entries.forEach((start, end) -> {
        if (end < from || start > to) {
          left.put(start, end);
          return;
        }
        int cutStart = Math.max(start, from);
        int cutEnd = Math.min(end, to);
        expected.add(new IntervalMap.Entry<>(cells(base, cutStart, cutEnd), value[cutStart]));
        if (start < from) {
          left.put(start, from - 1);
        }
        if (end > to) {
          left.put(to + 1, end);
        }
      });
      assertEquals(expected, map.remove(cells(base, from, to), CUT));
      entries.clear();
      entries.putAll(left);
      java.util.Arrays.fill(value, from, to + 1, 0);
    }

    private void check(IntervalMap<Long> map, SeededRandom random) {
      assertEquals(entries.size(), map.size());
      int cell = random.below(CELLS);
      long found =
          map.find(base + cell).map(e -> e.value() + base + cell - e.range().start()).orElse(0L);
      assertEquals(value[cell], found);
      var floor = entries.floorEntry(cell);
      assertEquals(
          floor == null ? "none" : cells(base, floor.getKey(), floor.getValue()).toString(),
          map.floor(base + cell).map(e -> e.range().toString()).orElse("none"));
      int end = random.between(cell, CELLS - 1);
      assertEquals(!free(cell, end), map.overlaps(cells(base, cell, end)));
      if (random.oneIn(50)) {
        List<IntervalMap.Entry<Long>> all = new ArrayList<>();
        entries.forEach((s, l) -> all.add(new IntervalMap.Entry<>(cells(base, s, l), value[s])));
        List<IntervalMap.Entry<Long>> walked = new ArrayList<>();
        map.forEach(walked::add);
        assertEquals(all, walked);
      }
    }
  }
}
