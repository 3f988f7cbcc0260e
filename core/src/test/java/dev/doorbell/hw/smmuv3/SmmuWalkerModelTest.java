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
    long modelled =
        bench.smmu.translate(stream, -1, iova, write ? Translator.WRITE : Translator.READ);
    SmmuWalk walk = walk(bench, stream, iova, write);
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
      bench.memory.write64(LEVEL_2 + i * 64L, 9);
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
      "random tables of stage 1 and stage 2: granules, blocks, contiguous runs, input and output widths, flipped bits")
  void translationTables() {
    Property.check("translation tables", 600, this::translationTable);
    assertTrue(reached > 300 && faults > 300, () -> reached + " reached, " + faults + " did not");
  }

  private void translationTable(SeededRandom r) {
    SmmuBench bench =
        bench(
            new SmmuBench(
                SmmuFeatures.qemu10().withOutputBits(r.pick(java.util.List.of(36, 40, 44, 48)))),
            SmmuBench.STREAMS,
            8);
    int granule = 12 + 2 * r.below(3);
    boolean second = r.nextBoolean();
    int bits = r.between(25, second ? 36 : 48);
    int perLevel = granule - 3;
    int start = 4 - Math.max(1, Math.ceilDiv(bits - granule, perLevel));
    if (second && granule == 12 && start == 3) {
      return;
    }
    RawSmmu.Tables tables = new RawSmmu.Tables(bench.memory, bits, granule, start, ROOT, POOL);
    long mask = (1L << bits) - 1;
    long[] inputs = new long[4];
    Map<Long, Long> leaves = new HashMap<>();
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = r.nextLong() & mask;
      int level = Math.max(start, granule == 12 ? r.between(1, 3) : r.between(2, 3));
      int shift = granule + (3 - level) * perLevel;
      long output = r.bits(r.between(30, 48)) & -(1L << shift);
      long attributes =
          second
              ? r.pick(java.util.List.of(RawSmmu.S2_RW, RawSmmu.S2_RO, RawSmmu.S2_WO))
              : r.pick(java.util.List.of(RawSmmu.S1_RW, RawSmmu.S1_RO, RawSmmu.S1_PRIVILEGED));
      long slot = tables.slot(inputs[i], level);
      long contiguous = r.oneIn(4) ? RawSmmu.CONTIGUOUS : 0;
      long word = output | attributes | contiguous | (level == 3 ? RawSmmu.PAGE : RawSmmu.BLOCK);
      leaves.put(slot, r.oneIn(3) ? word ^ 1L << r.below(64) : word);
    }
    leaves.forEach(bench.memory::write64);
    int size = r.below(6);
    if (second) {
      int sl0 = (granule == 12 ? 2 : 3) - start;
      bench.steQuietly(3, RawSmmu.steStage2(7, bits, sl0, granule, size, tables.root()));
    } else {
      RawSmmu.store(bench.memory, SmmuBench.CDS, RawSmmu.cd(1, bits, granule, size, tables.root()));
      bench.steQuietly(3, RawSmmu.steStage1(SmmuBench.CDS));
    }
    for (long input : inputs) {
      count(agreed(bench, 3, input, r.nextBoolean()));
      if (r.oneIn(4)) {
        count(agreed(bench, 3, input ^ 1L << r.below(64), r.nextBoolean()));
      }
    }
  }
}
