package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("TCEs that a PHB4 keeps")
class TceCacheModelTest {
  private static final int ROUNDS = 1_000_000;
  private static final int WRITERS = 2;

  /// Pages of one slot.
  private static final long[] PAGES = {0, 256};

  private final TceCacheModel cache = new TceCacheModel();

  @Test
  @DisplayName("what is forgotten is not found, nor what was read before and is kept after")
  void forgets() {
    long since = cache.generation();
    cache.keep(2, 7, 0x7003, since);
    assertEquals(0x7003, cache.find(2, 7));
    assertEquals(TceCacheModel.MISS, cache.find(3, 7));
    cache.clear();
    assertEquals(TceCacheModel.MISS, cache.find(2, 7));
    cache.keep(2, 7, 0x7003, since);
    assertEquals(TceCacheModel.MISS, cache.find(2, 7));
  }

  @Test
  @DisplayName("pages that displace one another are never taken for one another")
  void displaced() throws InterruptedException {
    // What is found before the first writer runs counts, too.
    keepAll();
    assertEquals(TceCacheModel.MISS, cache.find(0, PAGES[0]), "they share a slot");
    AtomicBoolean ended = new AtomicBoolean();
    List<Thread> writers = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      writers.add(
          Thread.ofPlatform()
              .start(() -> {
                while (!ended.get()) {
                  keepAll();
                }
              }));
    }
    int wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
      long page = PAGES[i & 1];
      long found = cache.find(0, page);
      wrong += found == TceCacheModel.MISS || found == value(page) ? 0 : 1;
    }
    ended.set(true);
    for (Thread t : writers) {
      t.join();
    }
    assertEquals(0, wrong);
  }

  private void keepAll() {
    for (long page : PAGES) {
      cache.keep(0, page, value(page), cache.generation());
    }
  }

  private static long value(long page) {
    return page + 1;
  }
}
