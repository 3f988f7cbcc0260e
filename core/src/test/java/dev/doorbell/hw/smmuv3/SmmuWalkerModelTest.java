package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.WalkCheck;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.RawSmmu;
import dev.doorbell.testkit.SeededRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070 3.3, 3.4, 6.3.24, 6.3.25: the walker says of any tables what the model does")
class SmmuWalkerModelTest {
  private static final long ROOT = SmmuBench.TABLES;
  private static final long POOL = SmmuBench.TABLES + 0x10_0000;
  private static final long LEVEL_2 = SmmuBench.BASE + 0x20_0000;

  private static SmmuWalk walk(SmmuBench bench, int stream, long iova, boolean write) {
    Map<String, Long> registers = new HashMap<>();
    for (Register r : SmmuRegisters.MAP.registers()) {
      registers.put(
          r.name().substring("SMMU_".length()), bench.smmu.read(r.offset(), r.bytes()).value());
    }
    return new SmmuWalker("smmu", registers, WalkCheck.view(bench.memory))
        .walk(stream, new Iova(iova), write);
  }

  /// {@return what the model does, after the walker was found to say the same}
  private static long agreed(SmmuBench bench, int stream, long iova, boolean write) {
    // First the walker: the model may set access flags and dirty state.
    SmmuWalk walk = walk(bench, stream, iova, write);
    long modelled =
        bench.smmu.translate(stream, -1, iova, write ? Translator.WRITE : Translator.READ);
    assertEquals(
        modelled, walk.output().map(pa -> pa.value()).orElse(Translator.FAULT), walk::toString);
    return modelled;
  }

  private static SmmuBench bench(long streamTable, long shape) {
    return bench(new SmmuBench(), streamTable, shape);
  }

  private static SmmuBench bench(SmmuBench bench, long streamTable, long shape) {
    bench.write32(0x88, shape);
    bench.write64(0x80, streamTable);
    bench.smmu.write(0x20, 1, 4, SystemBus.CPU);
    return bench;
  }

  @ParameterizedTest(name = "SPLIT {0} is as {1}")
  @CsvSource({"6, 6", "8, 8", "10, 10", "0, 6", "7, 6", "9, 6", "11, 6", "31, 6"})
  @DisplayName("6.3.25 SPLIT: reserved encodings behave as 6")
  void split(int split, int meant) {
    SmmuBench bench = bench(SmmuBench.STREAMS, 16 | split << 6 | 1 << 16);
    int stream = (3 << meant) + 5;
    bench.memory.write64(SmmuBench.STREAMS + 3 * 8, LEVEL_2 | meant + 1);
    RawSmmu.store(bench.memory, LEVEL_2 + 5 * 64, RawSmmu.ste(4));
    assertEquals(0x1234, agreed(bench, stream, 0x1234, true));
    assertEquals(Translator.FAULT, agreed(bench, stream + 1, 0x1234, true));
    assertEquals(Translator.FAULT, agreed(bench, stream + (1 << meant), 0x1234, true));
  }

  @ParameterizedTest(name = "LOG2SIZE {0}: stream {1}")
  @CsvSource({
    "4, 15, true",
    "4, 16, false",
    "16, 0xffff, true",
    "17, 0xffff, true",
    "20, 0x10000, false"
  })
  @DisplayName(
      "6.3.25 LOG2SIZE: StreamIDs below it and SIDSIZE; alignment goes by LOG2SIZE as written (6.3.24)")
  void sizes(int log2, String id, boolean reached) {
    int stream = Integer.decode(id);
    // 64 bytes above the table, which alignment takes away; the table of 2^20 entries begins at its
    // size.
    SmmuBench bench = bench(SmmuBench.STREAMS + 0x40, log2);
    long table = (SmmuBench.STREAMS + 0x40) & -(64L << log2);
    if (table >= SmmuBench.BASE) {
      RawSmmu.store(bench.memory, table + 64L * stream, RawSmmu.ste(4));
    }
    assertEquals(reached ? 0x1000 : Translator.FAULT, agreed(bench, stream, 0x1000, true));
  }

  @Test
  @DisplayName("6.3.24: a table whose LOG2SIZE is above SIDSIZE is aligned to what LOG2SIZE says")
  void alignedAsWritten() {
    long table = SmmuBench.BASE + (4L << 20);
    SmmuBench bench = bench(table, 17);
    RawSmmu.store(bench.memory, SmmuBench.BASE + 64 * 7, RawSmmu.ste(4));
    assertEquals(0x1000, agreed(bench, 7, 0x1000, true), "8 MiB, so the bit at 4 MiB is ignored");
    SmmuBench two = bench(SmmuBench.BASE + 0x1000, 17 + 6 | 8 << 6 | 1 << 16);
    two.memory.write64(SmmuBench.BASE, LEVEL_2 | 4);
    RawSmmu.store(two.memory, LEVEL_2 + 64 * 7, RawSmmu.ste(4));
    assertEquals(0x1000, agreed(two, 7, 0x1000, true), "256 KiB of level 1, so 4 KiB are ignored");
  }

  private int reached;
  private int faults;

  @Test
  @DisplayName("random stream tables in one and two levels, with broken shapes and descriptors")
  void streamTables() {
    Property.check("stream tables", 400, this::streamTable);
    assertTrue(reached > 50 && faults > 50, () -> reached + " reached, " + faults + " did not");
  }

  private void streamTable(SeededRandom r) {
    int log2 = r.oneIn(4) ? r.below(64) : r.between(6, 17);
    int split = r.oneIn(4) ? r.below(32) : 6 + 2 * r.below(3);
    int format = r.oneIn(8) ? r.below(4) : r.below(2);
    long base = SmmuBench.BASE + (r.nextBoolean() ? 0 : (long) r.below(0x8000) << 6);
    SmmuBench bench = bench(base, log2 | split << 6 | format << 16);
    for (int i = 0; i < 64; i++) {
      long at = SmmuBench.BASE + (r.nextBoolean() ? r.below(0x40) : r.below(0x1000)) * 8L;
      bench.memory.write64(at, (LEVEL_2 + (long) r.below(0x40) * 0x40) | r.below(13));
    }
    for (int i = 0; i < 0x1000; i++) {
      // Neighbours differ, so that an array found at a wrong place shows: bypass and abort.
      bench.memory.write64(LEVEL_2 + i * 64L, r.nextBoolean() ? 9 : 1);
    }
    for (int i = 0; i < 16; i++) {
      count(agreed(bench, (int) r.bits(r.between(0, 18)), r.bits(30), r.nextBoolean()));
    }
  }

  private void count(long pa) {
    if (pa == Translator.FAULT) {
      faults++;
    } else {
      reached++;
    }
  }

  @Test
  @DisplayName(
      "random tables of stage 1 and stage 2: granules, blocks, contiguous runs, input and output widths, updates by hardware, flipped bits")
  void translationTables() {
    Property.check("translation tables", 600, this::translationTable);
    assertTrue(reached > 300 && faults > 300, () -> reached + " reached, " + faults + " did not");
  }

  /// @param start level of the start table
  private record Shape(boolean second, int granule, int bits, int start) {
    static Shape of(SeededRandom r) {
      int granule = 12 + 2 * r.below(3);
      boolean second = r.nextBoolean();
      int bits = r.between(25, second ? 36 : 48);
      int start = 4 - Math.max(1, Math.ceilDiv(bits - granule, granule - 3));
      return new Shape(second, granule, bits, start);
    }

    /// SL0 has no encoding for the last level with 4 KiB.
    boolean exists() {
      return !(second && granule == 12 && start == 3);
    }

    /// {@return a leaf of a level, now and then with a flipped bit}
    long leaf(int level, boolean contiguous, SeededRandom r) {
      long output = r.bits(r.between(30, 48)) & -(1L << (granule + (3 - level) * (granule - 3)));
      // Address bits 51:48, or RES0.
      output |= granule == 16 && r.oneIn(3) ? r.bits(4) << 12 : 0;
      long attributes =
          second
              ? r.pick(List.of(RawSmmu.S2_RW, RawSmmu.S2_RO, RawSmmu.S2_WO))
              : r.pick(List.of(RawSmmu.S1_RW, RawSmmu.S1_RO, RawSmmu.S1_PRIVILEGED));
      long word = output | attributes | (contiguous ? RawSmmu.CONTIGUOUS : 0);
      word |= r.nextBoolean() ? 1L << 51 : 0;
      word |= level == 3 ? RawSmmu.PAGE : RawSmmu.BLOCK;
      return r.oneIn(3) ? word ^ 1L << bit(r) : word;
    }
  }

  private void translationTable(SeededRandom r) {
    SmmuFeatures features =
        SmmuFeatures.qemu10()
            .withIdr0(SmmuRegisters.IDR0_HTTU, 2)
            .withOutputBits(r.pick(List.of(36, 40, 44, 48, 52, 52)));
    SmmuBench bench = bench(new SmmuBench(features), SmmuBench.STREAMS, 8);
    Shape shape = Shape.of(r);
    if (!shape.exists()) {
      return;
    }
    int start = shape.start();
    RawSmmu.Tables tables =
        new RawSmmu.Tables(bench.memory, shape.bits(), shape.granule(), start, ROOT, POOL);
    long[] inputs = new long[4];
    Map<Long, Long> leaves = new HashMap<>();
    Map<Long, Long> tops = new HashMap<>();
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = r.nextLong() & (1L << shape.bits()) - 1;
      int level = Math.max(start, r.between(1, 3));
      long slot = tables.slot(inputs[i], level);
      // In what is asked for last alone: the model may cache all of a run, of which the rest is
      // not there.
      boolean contiguous = i == inputs.length - 1 && r.nextBoolean();
      leaves.put(slot, shape.leaf(level, contiguous, r));
      if (level > start && r.oneIn(4)) {
        tops.put(
            tables.slot(inputs[i], start), 1L << (r.nextBoolean() ? r.between(59, 62) : bit(r)));
      }
    }
    leaves.forEach(bench.memory::write64);
    tops.forEach((at, flip) -> bench.memory.write64(at, bench.memory.read64(at) ^ flip));
    point(bench, shape, root(tables, r), r);
    for (long input : inputs) {
      if (r.oneIn(4)) {
        count(agreed(bench, 3, input ^ 1L << r.below(64), r.nextBoolean()));
      }
      count(agreed(bench, 3, input, r.nextBoolean()));
    }
  }

  /// Lets stream 3 use the tables, with an output size at random; V and EPD0 of a context descriptor are flipped now and then.
  private static void point(SmmuBench bench, Shape shape, long root, SeededRandom r) {
    int size = r.below(8);
    long updates = r.below(4);
    if (shape.second()) {
      int sl0 = (shape.granule() == 12 ? 2 : 3) - shape.start();
      long[] ste = RawSmmu.steStage2(7, shape.bits(), sl0, shape.granule(), size, root);
      ste[2] |= updates << 55;
      bench.steQuietly(3, ste);
      return;
    }
    long[] cd = RawSmmu.cd(1, shape.bits(), shape.granule(), size, root);
    cd[0] |= updates << 42;
    cd[0] ^= r.oneIn(8) ? 1L << (r.nextBoolean() ? 31 : 14) : 0;
    RawSmmu.store(bench.memory, SmmuBench.CDS, cd);
    bench.steQuietly(3, RawSmmu.steStage1(SmmuBench.CDS));
  }

  /// {@return a bit of a descriptor, but Contiguous: often valid, type, permissions or access flag}
  private static int bit(SeededRandom r) {
    int any = r.below(63);
    return r.nextBoolean() ? r.pick(List.of(0, 1, 6, 7, 10)) : any < 52 ? any : any + 1;
  }

  /// Low bits that the table's size makes RES0 are set now and then.
  private static long root(RawSmmu.Tables tables, SeededRandom r) {
    return tables.root() | (r.oneIn(3) ? 0x10 : 0);
  }

  @ParameterizedTest(name = "granule 2^{0}, {2} bits")
  @CsvSource({"12, 2, 39", "12, 2, 48", "14, 1, 47", "16, 3, 42", "16, 3, 48"})
  @DisplayName("5.4 T1SZ, TG1, TTB1: addresses of the upper half, of neither half, and with EPD1")
  void upperHalf(int granule, long tg1, int bits) {
    SmmuBench bench = bench(SmmuBench.STREAMS, 8);
    int start = 4 - Math.ceilDiv(bits - granule, granule - 3);
    RawSmmu.Tables tables = new RawSmmu.Tables(bench.memory, bits, granule, start, ROOT, POOL);
    tables.map(0x1_0000, 0x4321_0000L, 3, RawSmmu.S1_RW);
    long[] cd = RawSmmu.cd(1, 39, 12, 4, ROOT);
    long both = cd[0] & ~(1L << 30) | (64L - bits) << 16 | tg1 << 22;
    cd[2] = ROOT;
    long high = -1L << bits;
    for (long word : new long[] {both, both | 1L << 30}) {
      cd[0] = word | 1L << 14;
      RawSmmu.store(bench.memory, SmmuBench.CDS, cd);
      SmmuBench fresh = bench(SmmuBench.STREAMS, 8);
      copy(bench, fresh);
      fresh.steQuietly(3, RawSmmu.steStage1(SmmuBench.CDS));
      long reached = word == both ? 0x4321_0010L : Translator.FAULT;
      assertEquals(reached, agreed(fresh, 3, high | 0x1_0010, true));
      assertEquals(Translator.FAULT, agreed(fresh, 3, high | 0x20_0000, true));
      assertEquals(Translator.FAULT, agreed(fresh, 3, 0x1_0010, true), "EPD0");
      assertEquals(Translator.FAULT, agreed(fresh, 3, 1L << 55 | 0x1_0010, true));
    }
  }

  private static void copy(SmmuBench from, SmmuBench to) {
    for (long at = SmmuBench.CDS; at < SmmuBench.BASE + SmmuBench.BYTES; at += 8) {
      long word = from.memory.read64(at);
      if (word != 0) {
        to.memory.write64(at, word);
      }
    }
  }

  @Test
  @DisplayName("3.3.2: behind stage 2 the context descriptor and stage 1's tables lie at IPAs")
  void nested() {
    SmmuBench bench = bench(SmmuBench.STREAMS, 8);
    long ipa = 0x1000_0000L;
    RawSmmu.Tables second =
        new RawSmmu.Tables(bench.memory, 40, 12, 1, ROOT + 0x80_0000, ROOT + 0x81_0000);
    second.map(ipa, SmmuBench.CDS, 3, RawSmmu.S2_RW);
    for (int i = 0; i < 16; i++) {
      second.map(ipa + 0x1_0000 + i * 0x1000L, ROOT + i * 0x1000L, 3, RawSmmu.S2_RW);
    }
    second.map(0x7000_0000L, 0x5432_1000L, 3, RawSmmu.S2_RW);
    // 29 bits with 64 KiB: one table.
    RawSmmu.Tables first = new RawSmmu.Tables(bench.memory, 29, 16, 3, ROOT, POOL);
    first.map(0x2_0000, 0x7000_0000L, 3, RawSmmu.S1_RW);
    RawSmmu.store(bench.memory, SmmuBench.CDS, RawSmmu.cd(1, 29, 16, 4, ipa + 0x1_0000));
    bench.steQuietly(
        3, RawSmmu.steNested(ipa, RawSmmu.steStage2(7, 40, 1, 12, 4, ROOT + 0x80_0000)));
    assertEquals(0x5432_1008L, agreed(bench, 3, 0x2_0008, true));
    assertEquals(Translator.FAULT, agreed(bench, 3, 0x2_1008, true), "stage 2 maps one page of it");
    assertEquals(Translator.FAULT, agreed(bench, 3, 0x3_0008, true));
  }
}
