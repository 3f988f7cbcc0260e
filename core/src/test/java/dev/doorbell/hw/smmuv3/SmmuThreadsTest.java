package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuBench.SID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName("IHI 0070 4.7.3: CMD_SYNC and accesses in flight")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SmmuThreadsTest {
  @Test
  @DisplayName("after CMD_SYNC no access delivers by a translation that was invalidated before it")
  void staleNeverDelivers() throws InterruptedException, ExecutionException {
    SmmuBench bench = new SmmuBench().start();
    RawSmmu.Tables tables = bench.stage1(SID, 9, 39, 12);
    // The page's number is also the oldest output that may be seen: the writer raises it after
    // CMD_SYNC.
    AtomicLong oldest = new AtomicLong(0x10_0000);
    AtomicBoolean stop = new AtomicBoolean();
    tables.map(0x1000, oldest.get(), 3, RawSmmu.S1_RW);
    List<Future<Long>> readers = new ArrayList<>();
    // On a busy machine a reader may begin late; the writer begins after it.
    CountDownLatch going = new CountDownLatch(3);
    try (ExecutorService pool = Executors.newFixedThreadPool(3)) {
      for (int i = 0; i < 3; i++) {
        readers.add(pool.submit(() -> deliver(bench, oldest, stop, going)));
      }
      going.await();
      for (long output = 0x10_1000; output < 0x10_0000 + 100 * 0x1000L; output += 0x1000) {
        tables.map(0x1000, output, 3, RawSmmu.S1_RW);
        bench.command(RawSmmu.tlbi(0x12, 0, 9, 0x1000, true));
        bench.command(RawSmmu.sync());
        oldest.set(output);
      }
      stop.set(true);
      long delivered = 0;
      for (Future<Long> reader : readers) {
        delivered += reader.get();
      }
      assertTrue(delivered > 0);
    }
    bench.commandsDone();
  }

  private static long deliver(
      SmmuBench bench, AtomicLong oldest, AtomicBoolean stop, CountDownLatch going) {
    long delivered = 0;
    going.countDown();
    while (!stop.get()) {
      bench.smmu.begin();
      long pa = bench.smmu.translate(SID, -1, 0x1000, Translator.WRITE);
      // The delivery: nothing older than what CMD_SYNC has completed may arrive.
      long limit = oldest.get();
      bench.smmu.end();
      // limit was read inside the access: had CMD_SYNC for a newer output completed by then, this
      // access would have ended.
      if (pa < limit) {
        throw new AssertionError("0x%x delivered after 0x%x was in force".formatted(pa, limit));
      }
      delivered++;
    }
    return delivered;
  }

  @Test
  @DisplayName(
      "configuration: after CMD_SYNC no access uses the STE that was invalidated before it")
  void staleConfiguration() throws InterruptedException, ExecutionException {
    SmmuBench bench = new SmmuBench().start();
    AtomicBoolean mustAbort = new AtomicBoolean();
    AtomicBoolean stop = new AtomicBoolean();
    AtomicLong accesses = new AtomicLong();
    bench.ste(SID, RawSmmu.ste(4));
    try (ExecutorService pool = Executors.newSingleThreadExecutor()) {
      Future<Integer> reader =
          pool.submit(() -> {
            int passed = 0;
            while (!stop.get()) {
              passed += underAnOldEntry(bench, mustAbort) ? 1 : 0;
              accesses.incrementAndGet();
            }
            return passed;
          });
      for (int i = 0; i < 60; i++) {
        bench.ste(SID, RawSmmu.ste(0));
        bench.command(RawSmmu.sync());
        mustAbort.set(true);
        // An access that begins from here on meets the new entry: at least one has to.
        await(accesses, 2, reader);
        mustAbort.set(false);
        bench.ste(SID, RawSmmu.ste(4));
        bench.command(RawSmmu.sync());
        await(accesses, 2, reader);
      }
      stop.set(true);
      assertTrue(reader.get() >= 60, "accesses passed while the entry let them");
    }
  }

  /// One access. It lasts long enough for a CMD_SYNC that does not wait for it to return.
  private static boolean underAnOldEntry(SmmuBench bench, AtomicBoolean mustAbort) {
    bench.smmu.begin();
    try {
      boolean passes = bench.read(0x1000) != Translator.FAULT;
      for (int i = 0; passes && i < 2000 && !mustAbort.get(); i++) {
        Thread.onSpinWait();
      }
      if (passes && mustAbort.get()) {
        throw new AssertionError("an access passed after CMD_SYNC for the entry that aborts it");
      }
      return passes;
    } finally {
      bench.smmu.end();
    }
  }

  /// Waits for so many more accesses, or for the reader's failure.
  private static void await(AtomicLong accesses, int more, Future<?> reader) {
    long enough = accesses.get() + more;
    while (accesses.get() < enough && !reader.isDone()) {
      Thread.yield();
    }
  }

  @Test
  @DisplayName(
      "a handler inside an access may program the SMMU: CMD_SYNC does not wait for its own thread")
  void programmingInsideAnAccess() {
    SmmuBench bench = new SmmuBench().start();
    bench.smmu.begin();
    bench.smmu.begin();
    bench.command(RawSmmu.sync());
    bench.commandsDone();
    bench.smmu.end();
    bench.command(RawSmmu.sync());
    bench.smmu.end();
    assertThrows(IllegalStateException.class, bench.smmu::end);
  }

  @Test
  @DisplayName("two handlers inside accesses may program the SMMU at once")
  void twoHandlers() throws InterruptedException, ExecutionException {
    SmmuBench bench = new SmmuBench().start();
    for (int i = 0; i < 1 << SmmuBench.COMMANDS_LOG2; i++) {
      RawSmmu.store(bench.memory, SmmuBench.COMMANDS + 16L * i, RawSmmu.sync());
    }
    AtomicLong producer = new AtomicLong(bench.read32(0x98));
    try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
      List<Future<?>> both = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        both.add(
            pool.submit(() -> {
              for (int n = 0; n < 300; n++) {
                bench.smmu.begin();
                bench.smmu.translate(SID, -1, 0, Translator.READ);
                bench.write32(0x98, producer.incrementAndGet() & 0x7f);
                bench.smmu.end();
              }
            }));
      }
      for (Future<?> one : both) {
        one.get();
      }
    }
    assertEquals(bench.read32(0x98), bench.read32(0x9c), "all consumed");
  }

  @Test
  @DisplayName("more threads than slots translate")
  void manyThreads() throws InterruptedException, ExecutionException {
    SmmuBench bench = new SmmuBench().start();
    RawSmmu.Tables tables = bench.stage1(SID, 9, 39, 12);
    for (int i = 0; i < 64; i++) {
      tables.map(0x1000L * i, 0x10_0000 + 0x1000L * i, 3, RawSmmu.S1_RW);
    }
    List<Future<Integer>> all = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(AccessGate.SLOTS + 16)) {
      for (int t = 0; t < AccessGate.SLOTS + 16; t++) {
        all.add(
            pool.submit(() -> {
              int wrong = 0;
              for (int i = 0; i < 300; i++) {
                long iova = 0x1000L * (i % 64);
                wrong += bench.read(iova) == 0x10_0000 + iova ? 0 : 1;
              }
              return wrong;
            }));
      }
      for (Future<Integer> one : all) {
        assertEquals(0, one.get());
      }
    }
  }
}
