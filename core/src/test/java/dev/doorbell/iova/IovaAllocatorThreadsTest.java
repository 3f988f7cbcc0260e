package dev.doorbell.iova;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IovaAllocator: many threads never get the same granule, and lose none")
class IovaAllocatorThreadsTest {
  private static final int GRANULES = 3000;

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
