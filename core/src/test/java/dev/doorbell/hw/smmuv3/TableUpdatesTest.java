package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuBench.CDS;
import static dev.doorbell.hw.smmuv3.SmmuBench.SID;
import static dev.doorbell.hw.smmuv3.SmmuBench.TABLES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070 3.13: hardware updates of access flag and dirty state")
class TableUpdatesTest {
  private static final long S = (long) SID << 32;
  private static final long RNW = 1L << 35;
  private static final long S2 = 1L << 39;
  private static final long TT = 1L << 40;
  private static final long IN = 2L << 40;
  private static final long HD = 1L << 42;
  private static final long HA = 1L << 43;
  private static final long AFFD = 1L << 35;
  private static final long S2HD = 1L << 55;
  private static final long S2HA = 1L << 56;
  private static final long DBM = 1L << 51;
  private static final long AP2 = 1L << 7;
  private static final long S1_CLEAN = RawSmmu.S1_RO | DBM;
  private static final long S2_CLEAN = RawSmmu.S2_RO | DBM;
  private static final long ROOT2 = TABLES + 0xc0_0000;
  private static final long PAGE = 0x5000;
  private static final long OUT = 0x9000;

  private final SmmuBench bench = bench(2);
  private final RawSmmu.Tables tables = bench.tables(SID, 39, 12);
  private final RawSmmu.Tables second =
      new RawSmmu.Tables(bench.memory, 40, 12, 1, ROOT2, ROOT2 + 0x20_0000);

  private static SmmuBench bench(int httu) {
    return new SmmuBench(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_HTTU, httu)).start();
  }

  private void first(long flags) {
    first(bench, tables, flags);
  }

  private static void first(SmmuBench bench, RawSmmu.Tables tables, long flags) {
    long[] cd = RawSmmu.cd(5, 39, 12, 4, tables.root());
    cd[0] |= flags;
    RawSmmu.store(bench.memory, CDS, cd);
    bench.ste(SID, RawSmmu.steStage1(CDS));
    bench.command(RawSmmu.cfgiCd(SID, 0, true));
  }

  private void second(long flags) {
    long[] ste = RawSmmu.steStage2(7, 40, 1, 12, 4, ROOT2);
    ste[2] |= flags;
    bench.ste(SID, ste);
  }

  private long leaf() {
    return bench.memory.read64(tables.slot(PAGE, 3));
  }

  private long leaf2(long ipa) {
    return bench.memory.read64(second.slot(ipa, 3));
  }

  @ParameterizedTest(name = "HTTU {0}, AFFD {1}")
  @CsvSource({"1, false", "2, false", "2, true"})
  @DisplayName("3.13.2, 5.4 HA: a clear access flag is set in memory, whatever AFFD says")
  void accessFlag(int httu, boolean affd) {
    SmmuBench one = bench(httu);
    RawSmmu.Tables t = one.tables(SID, 39, 12);
    t.map(PAGE, OUT, 3, RawSmmu.S1_RW & ~RawSmmu.AF);
    first(one, t, HA | (affd ? AFFD : 0));
    assertEquals(OUT + 8, one.read(PAGE + 8));
    assertEquals(OUT | RawSmmu.S1_RW | RawSmmu.PAGE, one.memory.read64(t.slot(PAGE, 3)));
    one.noEvent();
  }

  @Test
  @DisplayName("3.13.2: without HA the flag faults, or with AFFD counts as set and stays clear")
  void withoutHa() {
    tables.map(PAGE, OUT, 3, RawSmmu.S1_RW & ~RawSmmu.AF);
    first(0);
    assertEquals(Translator.FAULT, bench.read(PAGE));
    bench.event(0x12 | S, RNW | IN, PAGE, 0);
    first(AFFD);
    assertEquals(OUT, bench.read(PAGE));
    assertEquals(OUT | RawSmmu.S1_RW & ~RawSmmu.AF | RawSmmu.PAGE, leaf());
  }

  @Test
  @DisplayName(
      "3.13.3.1: a write makes a clean page dirty, a read does not, a cached clean page included")
  void dirty() {
    tables.map(PAGE, OUT, 3, S1_CLEAN & ~RawSmmu.AF);
    first(HA | HD);
    assertEquals(OUT, bench.read(PAGE));
    assertEquals(OUT | S1_CLEAN | RawSmmu.PAGE, leaf(), "accessed, and clean");
    assertEquals(OUT, bench.write(PAGE));
    assertEquals(OUT | (S1_CLEAN & ~AP2) | RawSmmu.PAGE, leaf(), "dirty");
    bench.noEvent();
    // What is cached as dirty stays so until an invalidation.
    tables.map(PAGE, OUT, 3, S1_CLEAN);
    assertEquals(OUT, bench.write(PAGE));
    assertEquals(OUT | S1_CLEAN | RawSmmu.PAGE, leaf());
    bench.command(RawSmmu.tlbi(0x12, 0, 5, PAGE, true));
    assertEquals(OUT, bench.write(PAGE));
    assertEquals(OUT | (S1_CLEAN & ~AP2) | RawSmmu.PAGE, leaf());
  }

  @Test
  @DisplayName(
      "3.13.3.1: no DBM, APTable, HD without HA, HA alone: a write is denied and nothing changes")
  void notWritable() {
    tables.map(PAGE, OUT, 3, RawSmmu.S1_RO & ~RawSmmu.AF);
    first(HA | HD);
    denied("no DBM");
    tables.map(PAGE, OUT, 3, S1_CLEAN & ~RawSmmu.AF);
    for (long flags : new long[] {HD | AFFD, HA}) {
      first(flags);
      denied("0x%x".formatted(flags));
    }
    first(HA | HD);
    long table = tables.slot(PAGE, 2);
    bench.memory.write64(table, bench.memory.read64(table) | 1L << 62);
    bench.command(RawSmmu.tlbi(0x11, 0, 5, 0, false));
    denied("APTable");
    bench.memory.write64(table, bench.memory.read64(table) & ~(1L << 62));
    bench.command(RawSmmu.tlbi(0x11, 0, 5, 0, false));
    assertEquals(OUT, bench.write(PAGE));
  }

  private void denied(String why) {
    long before = leaf();
    assertEquals(Translator.FAULT, bench.write(PAGE), why);
    bench.event(0x13 | S, IN, PAGE, 0);
    assertEquals(before, leaf(), why);
  }

  @ParameterizedTest(name = "HTTU {0}, flags 0x{1}: stage {2}")
  @CsvSource({
    "0, 1, 1", "0, 2, 1", "1, 2, 1", "1, 3, 1", "0, 1, 2", "0, 2, 2", "1, 2, 2", "1, 3, 2"
  })
  @DisplayName("5.2 S2HA, S2HD, 5.4 HA, HD: what SMMU_IDR0.HTTU does not promise is ILLEGAL")
  void illegal(int httu, int flags, int stage) {
    SmmuBench one = bench(httu);
    long ha = flags & 1;
    long hd = flags >> 1;
    if (stage == 1) {
      first(one, one.tables(SID, 39, 12), ha << 43 | hd << 42);
    } else {
      long[] ste = RawSmmu.steStage2(7, 40, 1, 12, 4, ROOT2);
      ste[2] |= ha << 56 | hd << 55;
      one.ste(SID, ste);
    }
    assertEquals(Translator.FAULT, one.read(PAGE));
    one.event((stage == 1 ? 0x0a : 0x04) | S, 0, 0, 0);
  }

  @Test
  @DisplayName("3.13.3.1 S2AP: stage 2 the same, by S2HA and S2HD")
  void stage2() {
    second.map(PAGE, OUT, 3, S2_CLEAN & ~RawSmmu.AF);
    second.map(PAGE + 0x1000, OUT, 3, RawSmmu.S2_RO & ~RawSmmu.AF);
    second(S2HA | S2HD);
    assertEquals(OUT, bench.read(PAGE));
    assertEquals(OUT | S2_CLEAN | RawSmmu.PAGE, leaf2(PAGE));
    assertEquals(OUT, bench.write(PAGE));
    assertEquals(OUT | S2_CLEAN | AP2 | RawSmmu.PAGE, leaf2(PAGE));
    assertEquals(Translator.FAULT, bench.write(PAGE + 0x1000));
    bench.event(0x13 | S, S2 | IN, PAGE + 0x1000, PAGE + 0x1000);
    second(S2HD);
    bench.command(RawSmmu.tlbi(0x28, 7, 0, 0, false));
    assertEquals(Translator.FAULT, bench.read(PAGE + 0x1000));
    bench.event(0x12 | S, S2 | IN | RNW, PAGE + 0x1000, PAGE + 0x1000);
  }

  /// Stage 1's tables, its CD and the output behind stage 2; the page with the last table as told.
  private void nested(long tablePage, long outputPage) {
    long last = tables.slot(PAGE, 3) & -0x1000;
    for (long at = tables.root(); at < tables.root() + (1L << 20); at += 0x1000) {
      if (at != last) {
        second.map(at, at, 3, RawSmmu.S2_RO);
      }
    }
    second.map(last, last, 3, tablePage);
    second.map(CDS, CDS, 3, RawSmmu.S2_RO);
    second.map(OUT, 0xa000, 3, outputPage);
    long[] cd = RawSmmu.cd(5, 39, 12, 4, tables.root());
    cd[0] |= HA | HD;
    RawSmmu.store(bench.memory, CDS, cd);
    long[] ste = RawSmmu.steStage2(7, 40, 1, 12, 4, ROOT2);
    ste[2] |= S2HA | S2HD;
    bench.ste(SID, RawSmmu.steNested(CDS, ste));
  }

  @Test
  @DisplayName(
      "3.13.5: an update of stage 1 is a write of its table, which stage 2 must allow: TTRnW says so")
  void nestedDenied() {
    tables.map(PAGE, OUT, 3, S1_CLEAN);
    nested(RawSmmu.S2_RO, RawSmmu.S2_RW);
    assertEquals(0xa000, bench.read(PAGE), "nothing is to be updated");
    assertEquals(Translator.FAULT, bench.write(PAGE));
    long slot = tables.slot(PAGE, 3);
    bench.event(0x13 | S, S2 | TT, PAGE, slot & -0x1000);
    assertEquals(OUT | S1_CLEAN | RawSmmu.PAGE, leaf());
  }

  @Test
  @DisplayName("3.13.5, figure 3.9: one write makes both pages dirty, and the one of the table")
  void nestedDirty() {
    tables.map(PAGE, OUT, 3, S1_CLEAN);
    nested(S2_CLEAN, S2_CLEAN & ~RawSmmu.AF);
    assertEquals(0xa000, bench.read(PAGE));
    long table = tables.slot(PAGE, 3) & -0x1000;
    assertEquals(table | S2_CLEAN | RawSmmu.PAGE, leaf2(table));
    assertEquals(0xa000 | S2_CLEAN | RawSmmu.PAGE, leaf2(OUT));
    assertEquals(0xa000, bench.write(PAGE));
    assertEquals(table | S2_CLEAN | AP2 | RawSmmu.PAGE, leaf2(table));
    assertEquals(0xa000 | S2_CLEAN | AP2 | RawSmmu.PAGE, leaf2(OUT));
    assertEquals(OUT | (S1_CLEAN & ~AP2) | RawSmmu.PAGE, leaf());
    bench.noEvent();
  }

  @Test
  @DisplayName("STE.S2PTW: a table in device memory is not read, and its page stays as it is")
  void protectedWalk() {
    tables.map(PAGE, OUT, 3, S1_CLEAN);
    long device = (RawSmmu.S2_DEVICE_RW & ~AP2 | DBM) & ~RawSmmu.AF;
    nested(device, RawSmmu.S2_RW);
    long[] ste = RawSmmu.steStage2(7, 40, 1, 12, 4, ROOT2);
    ste[2] |= S2HA | S2HD | 1L << 54;
    bench.ste(SID, RawSmmu.steNested(CDS, ste));
    assertEquals(Translator.FAULT, bench.write(PAGE));
    long table = tables.slot(PAGE, 3) & -0x1000;
    bench.event(0x13 | S, S2 | TT | 1L << 44, PAGE, table);
    assertEquals(table | device | RawSmmu.PAGE, leaf2(table));
  }

  @Test
  @DisplayName("3.13: updates are atomic: a descriptor that changes in between is looked at again")
  void race() {
    tables.map(PAGE, OUT, 3, S1_CLEAN);
    first(HA | HD);
    bench.memory.beforeSwap(() -> tables.unmap(PAGE, 3));
    assertEquals(Translator.FAULT, bench.write(PAGE));
    bench.event(0x10 | S, IN, PAGE, 0);
    assertEquals(0, leaf());
    second.map(PAGE, OUT, 3, S2_CLEAN);
    second(S2HA | S2HD);
    bench.memory.beforeSwap(() -> second.map(PAGE, 0xb000, 3, S2_CLEAN));
    assertEquals(0xb000, bench.write(PAGE));
    assertEquals(0xb000 | S2_CLEAN | AP2 | RawSmmu.PAGE, leaf2(PAGE));
  }

  @Test
  @DisplayName("3.13: an update of stage 1 ends although stage 2 is invalidated meanwhile")
  void invalidatedMeanwhile() {
    tables.map(PAGE, OUT, 3, S1_CLEAN);
    nested(S2_CLEAN, RawSmmu.S2_RW);
    int[] swaps = {0};
    bench.memory.beforeSwap(
        new Runnable() {
          @Override
          public void run() {
            if (++swaps[0] == 1) {
              bench.command(RawSmmu.tlbi(0x28, 7, 0, 0, false));
            }
            assertTrue(swaps[0] < 100, "never ends");
            bench.memory.beforeSwap(this);
          }
        });
    assertEquals(0xa000, bench.write(PAGE));
    assertEquals(2, swaps[0], "of the table's page and of the page");
    assertEquals(OUT | (S1_CLEAN & ~AP2) | RawSmmu.PAGE, leaf());
  }
}
