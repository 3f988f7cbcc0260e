package dev.doorbell.iova;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IovaAllocator agrees with one cell a granule, for random operations")
class IovaAllocatorPropertyTest {
  private static final long FOUR_GIB = 1L << 32;

  /// Apertures, by first granule of 4 KiB: at the bottom, across 4 GiB, and up to the last address of the 64-bit space.
  private static final Long[] FIRST = {
    0L, 3L, (FOUR_GIB >>> 12) - 4096 - 37, (1L << 40) + 61, (1L << 52) - 9000
  };

  @Test
  @DisplayName(
      "allocate, place, reserve, free right and wrong: same grants, same addresses, same refusals")
  void agreesWithCells() {
    Property.check(
        "iova allocator",
        60,
        random -> {
          long first = random.pick(FIRST);
          Model model = new Model(first, 9000);
          IovaAllocator allocator =
              new IovaAllocator(
                  Granule.K4, AddressRange.ofSize(first << 12, (long) model.size() << 12));
          boolean crowded = random.nextBoolean();
          for (int step = 0; step < 600; step++) {
            model.step(allocator, random, crowded);
          }
          model.finish(allocator);
        });
  }

  /// One int a granule: 0 free, -1 reserved, else the number of the range. Shares nothing with the allocator.
  private static final class Model {
    private final long first;
    private final int[] cells;
    private final List<AddressRange> live = new ArrayList<>();
    private int number = 1;
    private boolean anyReserved;

    Model(long first, int size) {
      this.first = first;
      this.cells = new int[size];
    }

    int size() {
      return cells.length;
    }

    void step(IovaAllocator allocator, SeededRandom random, boolean crowded) {
      switch (random.below(crowded ? 12 : 8)) {
        case 0, 1 -> freeOne(allocator, random);
        case 2 -> freeWrong(allocator, random);
        case 3 -> place(allocator, random);
        case 4 -> reserve(allocator, random);
        default -> allocate(allocator, random);
      }
      assertEquals(live.size(), allocator.rangesInUse());
    }

    private int count(SeededRandom random) {
      return switch (random.below(12)) {
        case 0 -> random.between(1, 3000);
        case 1 -> 64 << random.below(7);
        case 2, 3 -> random.between(1, 200);
        default -> random.between(1, 8);
      };
    }

    private void allocate(IovaAllocator allocator, SeededRandom random) {
      int count = count(random);
      IovaRequest request = IovaRequest.ofBytes(((long) count << 12) - random.below(4096));
      long alignment = 1;
      if (random.nextBoolean()) {
        request = request.naturallyAligned();
        alignment = request.alignment();
      } else if (random.oneIn(3)) {
        alignment = 1L << random.between(0, 22);
        request = request.alignedTo(alignment);
      }
      long low = 0;
      long high = -1;
      if (random.oneIn(3)) {
        high = (first + random.below(cells.length) << 12) + random.below(8192);
        low = random.oneIn(2) ? 0 : (first << 12) + random.below(1 << 24);
        high = Long.compareUnsigned(high, low) < 0 ? low : high;
        request = request.within(new AddressRange(low, high));
      }
      boolean prefer32 = random.nextBoolean();
      if (prefer32) {
        request = request.prefer32Bit();
      }
      int block =
          Integer.highestOneBit(Math.max(1, Math.max(count, (int) (alignment >>> 12)) * 2 - 1));
      int expected = expected(count, block, low, high, prefer32);
      Optional<AddressRange> got = allocator.tryAllocate(request);
      assertEquals(
          expected < 0 ? "refused" : range(expected, count).toString(),
          got.map(AddressRange::toString).orElse("refused"),
          request::toString);
      got.ifPresent(r -> fill(r, number++));
      if (expected < 0) {
        IovaRequest again = request;
        var e = assertThrows(IovaExhausted.class, () -> allocator.allocate(again));
        assertEquals((long) block << 12, e.refusal().needed().orElseThrow().value());
        assertTrue(
            e.refusal().available().orElseThrow().value()
                <= e.refusal().needed().orElseThrow().value());
      }
    }

    /// {@return cell of the first fit by the rule of granting, or -1}
    private int expected(int count, int block, long low, long high, boolean prefer32) {
      int below = -1;
      for (int i = 0; i < cells.length; i++) {
        if ((first + i) % block == 0 && fits(i, count, block, low, high)) {
          if (prefer32 || first + i >= FOUR_GIB >>> 12) {
            return i;
          }
          below = below < 0 ? i : below;
        }
      }
      return below;
    }

    private boolean fits(int i, int count, int block, long low, long high) {
      if (i + block > cells.length || Long.compareUnsigned(first + i << 12, low) < 0) {
        return false;
      }
      if (Long.compareUnsigned((first + i + count << 12) - 1, high) > 0) {
        return false;
      }
      for (int j = i; j < i + block; j++) {
        if (cells[j] != 0) {
          return false;
        }
      }
      return true;
    }

    private void place(IovaAllocator allocator, SeededRandom random) {
      int from = random.below(cells.length);
      AddressRange range = range(from, Math.min(count(random), cells.length - from));
      Optional<AddressRange> met = firstMet(range, false);
      if (met.isEmpty()) {
        allocator.allocateAt(range);
        fill(range, number++);
      } else {
        var e = assertThrows(IovaTaken.class, () -> allocator.allocateAt(range));
        assertEquals(met.get(), e.other());
      }
    }

    private void reserve(IovaAllocator allocator, SeededRandom random) {
      int from = random.below(cells.length);
      AddressRange range = range(from, Math.min(random.between(1, 100), cells.length - from));
      if (firstMet(range, true).isEmpty()) {
        allocator.reserve(range);
        anyReserved = true;
        for (int i = 0; i < range.bytes() >>> 12; i++) {
          cells[from + i] = -1;
        }
      } else {
        var e = assertThrows(IovaTaken.class, () -> allocator.reserve(range));
        assertEquals(firstMet(range, true).get(), e.other());
      }
    }

    private void freeOne(IovaAllocator allocator, SeededRandom random) {
      if (live.isEmpty()) {
        return;
      }
      AddressRange range = live.get(random.below(live.size()));
      if (random.nextBoolean()) {
        allocator.free(range);
      } else {
        assertEquals(range.bytes(), allocator.free(new Iova(range.start())));
      }
      live.remove(range);
      for (int i = 0; i < range.bytes() >>> 12; i++) {
        cells[cell(range) + i] = 0;
      }
    }

    private void freeWrong(IovaAllocator allocator, SeededRandom random) {
      int from = random.below(cells.length);
      AddressRange range = range(from, Math.min(random.between(1, 4), cells.length - from));
      if (!live.contains(range)) {
        assertThrows(WrongFree.class, () -> allocator.free(range));
      }
      if (live.stream().noneMatch(r -> r.start() == range.start())) {
        assertThrows(WrongFree.class, () -> allocator.give(range.start()));
      }
      assertThrows(WrongFree.class, () -> allocator.give(range.start() + 1));
    }

    void finish(IovaAllocator allocator) {
      assertEquals(live.stream().sorted().toList(), allocator.allocated());
      for (AddressRange range : List.copyOf(live)) {
        assertEquals(Optional.of(range), allocator.rangeAt(new Iova(range.last())));
        allocator.free(range);
      }
      assertEquals(0, allocator.bytesInUse());
      assertEquals(List.of(), allocator.allocated());
      if (!anyReserved) {
        AddressRange all = range(0, cells.length);
        allocator.allocateAt(all);
        allocator.free(all);
      }
    }

    private Optional<AddressRange> firstMet(AddressRange range, boolean onlyAllocated) {
      int from = cell(range);
      for (int i = from; i < from + (range.bytes() >>> 12); i++) {
        if (cells[i] == -1 && !onlyAllocated) {
          return Optional.of(reservedAround(i));
        }
        if (cells[i] > 0) {
          int at = i;
          return live.stream().filter(r -> r.contains(first + at << 12)).findFirst();
        }
      }
      return Optional.empty();
    }

    private AddressRange reservedAround(int cell) {
      int from = cell;
      int to = cell;
      while (from > 0 && cells[from - 1] == -1) {
        from--;
      }
      while (to + 1 < cells.length && cells[to + 1] == -1) {
        to++;
      }
      return range(from, to - from + 1);
    }

    private AddressRange range(int cell, int count) {
      return AddressRange.ofSize(first + cell << 12, (long) count << 12);
    }

    private int cell(AddressRange range) {
      return (int) ((range.start() >>> 12) - first);
    }

    private void fill(AddressRange range, int value) {
      live.add(range);
      java.util.Arrays.fill(cells, cell(range), cell(range) + (int) (range.bytes() >>> 12), value);
    }
  }
}
