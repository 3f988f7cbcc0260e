package dev.doorbell.iova;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IovaAllocator: many threads never get the same granule, and lose none")
class IovaAllocatorThreadsTest {
  private static final int GRANULES = 3000;

  /// Granules of several leaves.
  private static final long WIDE = 5 * 4096 + 100;

  @Test
  @DisplayName("four threads in a crowded space: each granule has one owner at a time")
  void oneOwner() throws Exception {
    AddressRange aperture = AddressRange.ofSize(0x10_0000, (long) GRANULES << 12);
    IovaAllocator allocator = new IovaAllocator(Granule.K4, aperture);
    AtomicIntegerArray owners = new AtomicIntegerArray(GRANULES);
    List<Callable<Integer>> work = new ArrayList<>();
    for (int t = 1; t <= 4; t++) {
      int me = t;
      work.add(() -> churn(allocator, owners, aperture.start(), me));
    }
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      for (Future<Integer> done : pool.invokeAll(work)) {
        assertTrue(done.get() > 0);
      }
    }
    assertEquals(0, allocator.bytesInUse());
    assertEquals(0, allocator.rangesInUse());
    allocator.allocateAt(aperture);
  }

  @Test
  @DisplayName(
      "what threads keep at hand is granted to others, to the last page, and joined to larger blocks")
  void atHand() throws Exception {
    AddressRange aperture = AddressRange.ofSize(0x10_0000, WIDE << 12);
    IovaAllocator allocator = new IovaAllocator(Granule.K4, aperture);
    IovaRequest page = IovaRequest.ofBytes(4096);
    IovaRequest two = IovaRequest.ofBytes(8192).naturallyAligned();
    List<Long> mine = new ArrayList<>();
    for (int round = 0; round < 40; round++) {
      SeededRandom random = SeededRandom.of(round);
      List<Callable<List<Long>>> takers = new ArrayList<>();
      for (int t = 0; t < 3; t++) {
        takers.add(() -> all(allocator, page));
      }
      List<Long> taken = mine;
      try (ExecutorService pool = Executors.newFixedThreadPool(3)) {
        for (Future<List<Long>> done : pool.invokeAll(takers)) {
          taken.addAll(done.get());
        }
        assertEquals(WIDE, taken.stream().distinct().count());
        assertEquals(WIDE, allocator.rangesInUse());
        // Everyone but the last pair gives a few back, in threads of their own.
        List<Callable<Integer>> givers = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
          List<Long> some = new ArrayList<>();
          for (int i = 0; i < 40; i++) {
            some.add(taken.remove(random.below(taken.size())));
          }
          givers.add(() -> {
            some.forEach(allocator::give);
            return some.size();
          });
        }
        for (Future<Integer> done : pool.invokeAll(givers)) {
          assertEquals(40, done.get());
        }
      }
      assertEquals(WIDE - 120, allocator.rangesInUse());
      assertPairs(allocator, two, taken);
      mine = taken;
    }
  }

  /// A pair of pages is granted exactly while two free ones lie side by side, aligned.
  private static void assertPairs(IovaAllocator allocator, IovaRequest two, List<Long> taken) {
    Set<Long> live = new HashSet<>(taken);
    long pairs =
        LongStream.range(0, WIDE / 2)
            .map(i -> 0x10_0000 + (i << 13))
            .filter(a -> !live.contains(a) && !live.contains(a + 4096))
            .count();
    List<Long> got = all(allocator, two);
    assertEquals(pairs, got.size());
    got.forEach(allocator::give);
  }

  private static List<Long> all(IovaAllocator allocator, IovaRequest request) {
    List<Long> starts = new ArrayList<>();
    for (long start = allocator.take(request);
        start != IovaAllocator.NONE;
        start = allocator.take(request)) {
      starts.add(start);
    }
    return starts;
  }

  private static int churn(IovaAllocator allocator, AtomicIntegerArray owners, long base, int me) {
    SeededRandom random = SeededRandom.of(me);
    List<AddressRange> mine = new ArrayList<>();
    int granted = 0;
    for (int step = 0; step < 40_000; step++) {
      if (mine.size() > 60 || !mine.isEmpty() && random.oneIn(3)) {
        AddressRange range = mine.remove(random.below(mine.size()));
        change(owners, base, range, me, 0);
        if (random.oneIn(2)) {
          allocator.free(range);
        } else {
          allocator.give(range.start());
        }
        continue;
      }
      var got = allocator.tryAllocate(IovaRequest.ofBytes((long) random.between(1, 40) << 12));
      if (got.isPresent()) {
        change(owners, base, got.get(), 0, me);
        mine.add(got.get());
        granted++;
      }
    }
    for (AddressRange range : mine) {
      change(owners, base, range, me, 0);
      allocator.free(range);
    }
    return granted;
  }

  private static void change(
      AtomicIntegerArray owners, long base, AddressRange range, int from, int to) {
    for (long a = range.start(); a < range.last(); a += 4096) {
      assertTrue(
          owners.compareAndSet((int) ((a - base) >>> 12), from, to),
          () -> range + " has another owner");
    }
  }
}
