package dev.doorbell.iova;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "Stripes: who needs the whole tree has it alone, and parts of it keep what requests ask")
class StripesTest {
  private static final long PAGE = 4096;
  private static final long LEAF = GranuleTree.LEAF;
  private static final long FOUR_GIB = 1L << 32;
  private static final IovaRequest ONE = IovaRequest.ofBytes(PAGE);

  private final ReservedRanges reserved = new ReservedRanges(Granule.K4);
  private final Stripes stripes = new Stripes(new GranuleTree(4 * LEAF), reserved);

  private Stripe closeAndOpen() {
    synchronized (stripes) {
      Stripe mine = stripes.closeAll();
      stripes.openAll();
      return mine;
    }
  }

  /// Returns when a thread is in a method, or has ended.
  private static void awaitIn(Thread thread, String method) {
    while (thread.isAlive()
        && Stream.of(thread.getStackTrace()).noneMatch(f -> f.getMethodName().equals(method))) {
      Thread.onSpinWait();
    }
  }

  @Test
  @DisplayName("whoever closes all waits for a stripe that is claimed")
  void waitsForClaimed() throws InterruptedException {
    Stripe claimed = closeAndOpen();
    claimed.claim();
    AtomicBoolean released = new AtomicBoolean();
    AtomicBoolean early = new AtomicBoolean();
    Thread closer =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              closeAndOpen();
              early.set(!released.get());
            });
    awaitIn(closer, "awaitReleased");
    released.set(true);
    claimed.release();
    closer.join();
    assertFalse(early.get());
  }

  @Test
  @DisplayName("nobody takes in a stripe of their own while all are closed")
  void waitsForOpen() throws InterruptedException {
    AtomicBoolean opened = new AtomicBoolean();
    AtomicBoolean early = new AtomicBoolean();
    Thread taker =
        Thread.ofPlatform()
            .daemon()
            .unstarted(() -> {
              stripes.take(0, LEAF);
              early.set(!opened.get());
            });
    synchronized (stripes) {
      stripes.closeAll();
      taker.start();
      awaitIn(taker, "enter");
      opened.set(true);
      stripes.openAll();
    }
    taker.join();
    assertFalse(early.get());
  }

  @Test
  @DisplayName(
      "a range that begins inside of a leaf is served lowest first, whatever is given back in it")
  void insideOfLeaf() {
    AddressRange space = AddressRange.ofSize(0, 3 * LEAF * PAGE);
    IovaAllocator allocator = new IovaAllocator(Granule.K4, space);
    IovaRequest request = ONE.within(new AddressRange(100 * PAGE, space.last()));
    for (long i = 100; i < LEAF + 50; i++) {
      assertEquals(i * PAGE, allocator.take(request));
    }
    allocator.give(150 * PAGE);
    assertEquals(150 * PAGE, allocator.take(request));
  }

  @Test
  @DisplayName(
      "one thread gets the lowest page always: pages of several leaves, taken from several places on and given back at random")
  void lowestFirst() {
    for (int seed = 0; seed < 12; seed++) {
      SeededRandom random = SeededRandom.of(seed);
      int pages = (int) (12 * LEAF) + random.below(4000);
      IovaAllocator allocator = new IovaAllocator(Granule.K4, AddressRange.ofSize(0, pages * PAGE));
      TreeSet<Long> free = new TreeSet<>();
      for (long i = 0; i < pages; i++) {
        free.add(i * PAGE);
      }
      List<Long> live = new ArrayList<>();
      long from = 0;
      for (int step = 0; step < 60_000; step++) {
        if (random.oneIn(2000)) {
          from = random.oneIn(3) ? 0 : random.below(pages) * PAGE;
        }
        boolean filling = step % 20_000 < 14_000;
        if (live.isEmpty() || !random.oneIn(filling ? 4 : 2)) {
          Long lowest = free.ceiling(from);
          long got = allocator.take(ONE.within(new AddressRange(from, -1L)));
          assertEquals(lowest == null ? IovaAllocator.NONE : lowest, got, "seed " + seed);
          if (lowest != null) {
            free.remove(lowest);
            live.add(lowest);
          }
        } else {
          int near = Math.min(live.size(), random.oneIn(50) ? live.size() : 300);
          Long back = live.remove(live.size() - 1 - random.below(near));
          assertEquals(PAGE, allocator.give(back));
          free.add(back);
        }
      }
      assertEquals(live.size(), allocator.rangesInUse());
    }
  }

  @Test
  @DisplayName(
      "a request that prefers to lie below 4 GiB does, while another thread has what is free there at hand")
  void prefers32Bit() throws InterruptedException {
    IovaAllocator allocator =
        new IovaAllocator(Granule.K4, AddressRange.ofSize(FOUR_GIB - 2 * LEAF * PAGE, 1L << 34));
    IovaRequest low = ONE.prefer32Bit();
    List<Long> mine = new ArrayList<>();
    for (int i = 0; i < 2 * LEAF; i++) {
      mine.add(allocator.take(low));
    }
    assertTrue(allocator.take(low) >= FOUR_GIB);
    mine.subList(0, 20).forEach(allocator::give);
    for (int t = 0; t < 20; t++) {
      List<Long> got = new ArrayList<>();
      Thread other = Thread.ofPlatform().start(() -> got.add(allocator.take(low)));
      other.join();
      assertTrue(got.getFirst() < FOUR_GIB, () -> "0x%x".formatted(got.getFirst()));
    }
    assertTrue(allocator.take(low) >= FOUR_GIB);
  }
}
