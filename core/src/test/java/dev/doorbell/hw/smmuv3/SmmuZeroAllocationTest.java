package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuBench.SID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("translate allocates nothing")
class SmmuZeroAllocationTest {
  private static final int PAGES = 512;

  private interface Work {
    long once(int i);
  }

  // Bytes that one run of many translations allocates, the least of several: the first ones run in
  // the interpreter and load
  // classes.
  private static long bytes(Work work) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    long sum = 0;
    for (int run = 0; run < 6; run++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 4000; i++) {
        sum += work.once(i);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(sum != 0);
    return least;
  }

  private static SmmuBench bench(int cached) {
    SmmuBench bench = new SmmuBench(SmmuFeatures.qemu10().withCachedTranslations(cached)).start();
    RawSmmu.Tables tables = bench.stage1(SID, 9, 39, 12);
    for (int i = 0; i < PAGES; i++) {
      tables.map(0x1000L * i, 0x10_0000 + 0x1000L * i, 3, RawSmmu.S1_RW);
    }
    return bench;
  }

  @Test
  @DisplayName("in a hit")
  void hit() {
    SmmuBench bench = bench(16384);
    assertEquals(0, bytes(i -> bench.write(0x1000L * (i % PAGES))));
  }

  @Test
  @DisplayName("in a miss that walks the tables")
  void miss() {
    SmmuBench bench = bench(16);
    assertEquals(0, bytes(i -> bench.write(0x1000L * (i * 37 % PAGES))));
  }

  @Test
  @DisplayName("in a miss of stage 2")
  void stage2Miss() {
    SmmuBench bench = new SmmuBench(SmmuFeatures.qemu10().withCachedTranslations(16)).start();
    RawSmmu.Tables tables =
        new RawSmmu.Tables(bench.memory, 40, 12, 1, SmmuBench.TABLES, SmmuBench.TABLES + 0x10_0000);
    for (int i = 0; i < PAGES; i++) {
      tables.map(0x1000L * i, 0x10_0000 + 0x1000L * i, 3, RawSmmu.S2_RW);
    }
    bench.ste(SID, RawSmmu.steStage2(7, 40, 1, 12, 4, SmmuBench.TABLES));
    assertEquals(0, bytes(i -> bench.write(0x1000L * (i * 37 % PAGES))));
  }

  @Test
  @DisplayName("in a miss of both stages, whose walk of stage 1 misses in stage 2, too")
  void nestedMiss() {
    SmmuBench bench = new SmmuBench(SmmuFeatures.qemu10().withCachedTranslations(16)).start();
    RawSmmu.Tables tables1 = bench.stage1(SID, 9, 39, 12);
    long cd = SmmuBench.CDS + 64L * (SID & 0xff);
    long root2 = SmmuBench.TABLES + 0x10_0000;
    RawSmmu.Tables tables2 = new RawSmmu.Tables(bench.memory, 40, 12, 1, root2, root2 + 0x1_0000);
    // What stage 1 consists of lies at equal addresses in stage 2, by pages: no block serves two.
    tables2.map(cd & -0x1000L, cd & -0x1000L, 3, RawSmmu.S2_RW);
    for (long at = 0; at < 0x8_0000; at += 0x1000) {
      tables2.map(tables1.root() + at, tables1.root() + at, 3, RawSmmu.S2_RW);
    }
    for (int i = 0; i < PAGES; i++) {
      tables1.map(0x1000L * i, 0x8000_0000L + 0x1000L * i, 3, RawSmmu.S1_RW);
      tables2.map(0x8000_0000L + 0x1000L * i, 0x10_0000 + 0x1000L * i, 3, RawSmmu.S2_RW);
    }
    bench.ste(SID, RawSmmu.steNested(cd, RawSmmu.steStage2(7, 40, 1, 12, 4, root2)));
    assertEquals(0x10_0000 + 0x1000L * 5, bench.write(0x1000L * 5));
    assertEquals(0, bytes(i -> bench.write(0x1000L * (i * 37 % PAGES))));
  }

  @Test
  @DisplayName("in a fault that is recorded")
  void fault() {
    SmmuBench bench = bench(16);
    bench.write32(0x20, 9);
    assertEquals(0, bytes(i -> bench.write(0x4000_0000L + 0x1000L * i)));
  }

  @Test
  @DisplayName("between begin and end")
  void bracket() {
    SmmuBench bench = bench(16384);
    assertEquals(
        0,
        bytes(i -> {
          bench.smmu.begin();
          long pa = bench.smmu.translate(SID, -1, 0x1000L * (i % PAGES), Translator.WRITE);
          bench.smmu.end();
          return pa;
        }));
  }
}
