package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuBench.CDS;
import static dev.doorbell.hw.smmuv3.SmmuBench.SID;
import static dev.doorbell.hw.smmuv3.SmmuBench.TABLES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.testkit.RawSmmu;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070 3.3.2, 3.9: SubstreamIDs, in the walker as in the model")
class SmmuWalkerSubstreamTest {
  private static SmmuWalker walker(SmmuBench bench) {
    Map<String, Long> registers = new HashMap<>();
    for (Register r : SmmuRegisters.MAP.registers()) {
      registers.put(
          r.name().substring("SMMU_".length()), bench.smmu.read(r.offset(), r.bytes()).value());
    }
    MemoryView memory =
        pa -> {
          try {
            return OptionalLong.of(bench.memory.read64(pa));
          } catch (BusErrorException e) {
            return OptionalLong.empty();
          }
        };
    return new SmmuWalker("smmu", registers, memory);
  }

  @ParameterizedTest(name = "S1Fmt {0}, S1DSS {1}, nested {2}")
  @DisplayName("walker and model agree for each SubstreamID, each form of table and each default")
  @CsvSource({
    "0, 0, false", "0, 1, false", "0, 2, false", "1, 0, false", "1, 1, false", "1, 2, false",
    "2, 0, false", "2, 1, false", "2, 2, false", "0, 1, true", "1, 2, true", "2, 1, true"
  })
  void agree(int format, int dss, boolean nested) {
    SmmuBench bench =
        new SmmuBench(
                SmmuFeatures.qemu10()
                    .withIdr1(SmmuRegisters.IDR1_SSIDSIZE, 8)
                    .withIdr0(SmmuRegisters.IDR0_CD2L, 1))
            .start();
    RawSmmu.Tables one = bench.tables(SID, 39, 12);
    one.map(0x1000, 0x7000, 3, RawSmmu.S1_RW);
    RawSmmu.Tables other =
        new RawSmmu.Tables(bench.memory, 39, 12, 1, TABLES + 0x40_0000, TABLES + 0x41_0000);
    other.map(0x1000, 0x9000, 3, RawSmmu.S1_RW);
    long leaf = CDS + 0x1_0000;
    if (format != 0) {
      bench.memory.write64(CDS, leaf | 1);
    }
    long array = format == 0 ? CDS : leaf;
    RawSmmu.store(bench.memory, array, RawSmmu.cd(1, 39, 12, 4, one.root()));
    RawSmmu.store(bench.memory, array + 64L * 5, RawSmmu.cd(6, 39, 12, 4, other.root()));
    long[] ste = RawSmmu.steStage1(CDS);
    if (nested) {
      long root = TABLES + 0xc0_0000;
      RawSmmu.Tables second = new RawSmmu.Tables(bench.memory, 40, 12, 1, root, root + 0x1_0000);
      for (long at = 0; at < 32; at++) {
        second.map(SmmuBench.BASE + (at << 21), SmmuBench.BASE + (at << 21), 2, RawSmmu.S2_RW);
      }
      second.map(0x7000, 0x17000, 3, RawSmmu.S2_RW);
      second.map(0x9000, 0x19000, 3, RawSmmu.S2_RW);
      second.map(0x1000, 0x11000, 3, RawSmmu.S2_RW);
      ste = RawSmmu.steNested(CDS, RawSmmu.steStage2(7, 40, 1, 12, 4, root));
    }
    ste[0] |= (long) format << 4 | 7L << 59;
    ste[1] = dss;
    bench.ste(SID, ste);
    SmmuWalker walker = walker(bench);
    int reached = 0;
    for (int substream : List.of(-1, 0, 1, 5, 6, 64, 127, 128, 0xfffff)) {
      long pa = bench.smmu.translate(SID, substream, 0x1000, Translator.WRITE);
      SmmuWalk walk =
          walker.walk(
              SID,
              substream < 0 ? OptionalInt.empty() : OptionalInt.of(substream),
              new Iova(0x1000),
              true);
      Optional<Pa> expected = pa == Translator.FAULT ? Optional.empty() : Optional.of(new Pa(pa));
      assertEquals(expected, walk.output(), () -> substream + ": " + walk);
      reached += expected.isPresent() ? 1 : 0;
      boolean twoLevel = walk.hops().stream().anyMatch(h -> h.at().equals("L1CD"));
      assertTrue(format != 0 || !twoLevel);
    }
    assertTrue(reached >= 2, "some are translated");
  }

  @ParameterizedTest
  @DisplayName(
      "7.3.7, 7.3.9: where stage 1 is off, an access with a SubstreamID is C_BAD_SUBSTREAMID")
  @CsvSource({"4", "6"})
  void off(int config) {
    SmmuBench bench = new SmmuBench().start();
    long[] ste =
        config == 4 ? RawSmmu.ste(4) : RawSmmu.steStage2(7, 40, 1, 12, 4, TABLES + 0x80_0000);
    bench.ste(SID, ste);
    SmmuWalk walk = walker(bench).walk(SID, OptionalInt.of(3), new Iova(0x1000), true);
    assertEquals(Translator.FAULT, bench.smmu.translate(SID, 3, 0x1000, Translator.WRITE));
    assertTrue(walk.stoppedAt().orElseThrow().startsWith("C_BAD_SUBSTREAMID"), walk::toString);
  }
}
