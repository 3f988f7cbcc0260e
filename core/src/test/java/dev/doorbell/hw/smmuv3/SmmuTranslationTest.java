package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuBench.SID;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070 3.4: stage 1 translation")
class SmmuTranslationTest {
  private static final long S = (long) SID << 32;
  // RnW in bit 35 and CLASS IN in bits 41:40 of word 1.
  private static final long READ_IN = 1L << 35 | 2L << 40;
  private static final long WRITE_IN = 2L << 40;

  @ParameterizedTest(name = "{1}-bit input, granule 2^{0}, leaf at level {2}")
  @DisplayName("DDI 0487 D8.2: every granule and level of leaf, at each end of the input range")
  @CsvSource({
    "12,48,3", "12,48,2", "12,48,1", "12,39,3", "12,39,2", "12,39,1", "12,32,3", "12,25,3",
        "12,25,2",
    "14,48,3", "14,48,2", "14,47,3", "14,36,2", "14,25,3", "16,48,3", "16,48,2", "16,42,2",
        "16,29,3"
  })
  void walks(int granule, int inputBits, int level) {
    SmmuBench bench = new SmmuBench().start();
    RawSmmu.Tables tables = bench.stage1(SID, 5, inputBits, granule);
    int shift = granule + (3 - level) * (granule - 3);
    long last = (1L << inputBits) - 1;
    long output = 0x123_0000_0000L & -(1L << shift);
    tables.map(last, output, level, RawSmmu.S1_RW);
    tables.map(0, output, level, RawSmmu.S1_RO);
    long inside = (1L << shift) - 1;
    for (int pass = 0; pass < 2; pass++) {
      assertEquals(output + inside, bench.write(last));
      assertEquals(output + 0x10, bench.read(0x10));
      assertEquals(Translator.FAULT, bench.write(0x10));
      bench.event(0x13 | S, WRITE_IN, 0x10, 0);
    }
    assertEquals(Translator.FAULT, bench.read(last + 1));
    bench.event(0x10 | S, READ_IN, last + 1, 0);
  }
}
