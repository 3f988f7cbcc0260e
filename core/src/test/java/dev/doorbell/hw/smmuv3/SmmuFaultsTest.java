package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuBench.CDS;
import static dev.doorbell.hw.smmuv3.SmmuBench.SID;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070 7.3: faults of stage 1")
class SmmuFaultsTest {
  private static final long S = (long) SID << 32;
  private static final long READ_IN = 1L << 35 | 2L << 40;
  private static final long WRITE_IN = 2L << 40;
  private static final long CD = CDS + 64L * (SID & 0xff);

  private SmmuBench bench = new SmmuBench();
  private RawSmmu.Tables tables = bench.tables(SID, 39, 12);

  @BeforeEach
  void start() {
    bench = new SmmuBench().start();
    tables = bench.stage1(SID, 9, 39, 12);
  }

  private void changeCd(int word, long toggled) {
    bench.memory.write64(CD + 8L * word, bench.memory.read64(CD + 8L * word) ^ toggled);
    bench.command(RawSmmu.cfgiCd(SID, 0, true));
    bench.command(RawSmmu.tlbi(0x11, 0, 9, 0, false));
  }

  @Test
  @DisplayName("IHI 0070 F_TRANSLATION: InputAddr is the whole address, RnW tells the access")
  void translation() {
    assertEquals(Translator.FAULT, bench.write(0x12345_6789L));
    bench.event(0x10 | S, WRITE_IN, 0x12345_6789L, 0);
    assertEquals(Translator.FAULT, bench.read(0x8000_0000_0000_0042L));
    bench.event(0x10 | S, READ_IN, 0x8000_0000_0000_0042L, 0);
  }

  @ParameterizedTest(name = "descriptor {1} at level {0}")
  @DisplayName("DDI 0487 D8.3: descriptors that are invalid at their level")
  @CsvSource({"1,0", "1,2", "2,0", "2,0xfffffffffffffffe", "3,0", "3,1", "3,2"})
  void invalidDescriptors(int level, String descriptor) {
    tables.map(0x1000, 0x7000, 3, RawSmmu.S1_RW);
    long value = Long.parseUnsignedLong(descriptor.replace("0x", ""), 16);
    bench.memory.write64(tables.slot(0x1000, level), value);
    assertEquals(Translator.FAULT, bench.read(0x1000));
    bench.event(0x10 | S, READ_IN, 0x1000, 0);
  }

  @Test
  @DisplayName("DDI 0487 D8.3: no blocks at level 0 of 4K, level 1 of 16K and 64K")
  void noBlocks() {
    for (int granule : new int[] {12, 14, 16}) {
      SmmuBench other = new SmmuBench().start();
      RawSmmu.Tables wide = other.stage1(SID, 1, 48, granule);
      wide.map(0, 0, granule == 12 ? 0 : 1, RawSmmu.S1_RW);
      assertEquals(Translator.FAULT, other.read(0x1000));
      other.event(0x10 | S, READ_IN, 0x1000, 0);
    }
  }

  @Test
  @DisplayName("IHI 0070 F_ADDR_SIZE: leaf and table beyond the output size")
  void addressSize() {
    tables.map(0x1000, 1L << 44, 3, RawSmmu.S1_RW);
    assertEquals(Translator.FAULT, bench.read(0x1000));
    bench.event(0x11 | S, READ_IN, 0x1000, 0);
    bench.memory.write64(tables.slot(1L << 30, 1), 1L << 45 | 3);
    assertEquals(Translator.FAULT, bench.read(1L << 30));
    bench.event(0x11 | S, READ_IN, 1L << 30, 0);
  }

  @Test
  @DisplayName("IHI 0070 CD.IPS: narrower than the SMMU it limits, wider it does not")
  void ips() {
    tables.map(0x1000, 1L << 40, 3, RawSmmu.S1_RW);
    changeCd(0, 6L << 32);
    assertEquals(Translator.FAULT, bench.read(0x1000));
    bench.event(0x11 | S, READ_IN, 0x1000, 0);
    changeCd(0, 7L << 32);
    assertEquals(1L << 40, bench.read(0x1000));
    tables.map(0x2000, 1L << 44, 3, RawSmmu.S1_RW);
    assertEquals(Translator.FAULT, bench.read(0x2000));
    bench.event(0x11 | S, READ_IN, 0x2000, 0);
  }

  @Test
  @DisplayName("IHI 0070 F_ACCESS: AF 0, unless CD.AFFD")
  void accessFlag() {
    tables.map(0x1000, 0x7000, 3, RawSmmu.S1_RW & ~RawSmmu.AF);
    assertEquals(Translator.FAULT, bench.read(0x1000));
    bench.event(0x12 | S, READ_IN, 0x1000, 0);
    changeCd(0, 1L << 35);
    assertEquals(0x7000, bench.read(0x1000));
  }

  @Test
  @DisplayName("IHI 0070 F_PERMISSION: AP[2:1], and APTable unless HAD")
  void permission() {
    tables.map(0x1000, 0x7000, 3, RawSmmu.S1_RO);
    tables.map(0x2000, 0x8000, 3, RawSmmu.S1_PRIVILEGED);
    tables.map(0x3000, 0x9000, 3, RawSmmu.S1_RW);
    assertEquals(0x7000, bench.read(0x1000));
    assertEquals(Translator.FAULT, bench.write(0x1000));
    bench.event(0x13 | S, WRITE_IN, 0x1000, 0);
    assertEquals(Translator.FAULT, bench.translate(0x1008, Translator.READ | Translator.WRITE));
    bench.event(0x13 | S, WRITE_IN, 0x1008, 0);
    assertEquals(Translator.FAULT, bench.read(0x2000));
    bench.event(0x13 | S, READ_IN, 0x2000, 0);
    long slot = tables.slot(0x3000, 2);
    long table = bench.memory.read64(slot);
    bench.memory.write64(slot, table | 2L << 61);
    bench.command(RawSmmu.tlbi(0x11, 0, 9, 0, false));
    assertEquals(0x9000, bench.read(0x3000));
    assertEquals(Translator.FAULT, bench.write(0x3000));
    bench.event(0x13 | S, WRITE_IN, 0x3000, 0);
    bench.memory.write64(slot, table | 1L << 61);
    bench.command(RawSmmu.tlbi(0x11, 0, 9, 0, false));
    assertEquals(Translator.FAULT, bench.read(0x3000));
    bench.event(0x13 | S, READ_IN, 0x3000, 0);
    changeCd(1, 2);
    assertEquals(0x9000, bench.write(0x3000));
  }

  @ParameterizedTest(name = "APTable read-only at level {0}, privileged at level {1}")
  @DisplayName("DDI 0487 D8.4: what one table on the way takes no later one gives back")
  @CsvSource({"1,2", "2,1"})
  void permissionsOfTablesAddUp(int readOnly, int privileged) {
    tables.map(0x3000, 0x9000, 3, RawSmmu.S1_RW);
    long slot = tables.slot(0x3000, readOnly);
    bench.memory.write64(slot, bench.memory.read64(slot) | 2L << 61);
    assertEquals(0x9000, bench.read(0x3000));
    assertEquals(Translator.FAULT, bench.write(0x3000));
    bench.event(0x13 | S, WRITE_IN, 0x3000, 0);
    slot = tables.slot(0x3000, privileged);
    bench.memory.write64(slot, bench.memory.read64(slot) | 1L << 61);
    bench.command(RawSmmu.tlbi(0x11, 0, 9, 0, false));
    assertEquals(Translator.FAULT, bench.read(0x3000));
    bench.event(0x13 | S, READ_IN, 0x3000, 0);
  }

  @Test
  @DisplayName(
      "IHI 0070 F_WALK_EABT: class TT and the descriptor's address, recorded whatever R says")
  void walkAbort() {
    bench.memory.write64(tables.slot(0x1000, 1), 0x12_3000 | 3);
    changeCd(0, 1L << 45);
    assertEquals(Translator.FAULT, bench.read(0x40_1000));
    bench.event(0x0b | S, 1L << 35 | 1L << 40, 0x40_1000, 0x12_3010);
    assertEquals(Translator.FAULT, bench.read(1L << 31));
    bench.noEvent();
  }

  @Test
  @DisplayName("IHI 0070 CD.EPD0, CD.TTB1: halves are chosen by bit 55 and can be disabled")
  void upperHalf() {
    RawSmmu.Tables upper =
        new RawSmmu.Tables(
            bench.memory, 39, 14, 1, SmmuBench.TABLES + 0xc0_0000, SmmuBench.TABLES + 0xc4_0000);
    upper.map(-0x4000L, 0x4_4000, 3, RawSmmu.S1_RW);
    tables.map(0x1000, 0x7000, 3, RawSmmu.S1_RW);
    bench.memory.write64(CD + 16, upper.root());
    // T1SZ 25, TG1 16K, EPD1 0.
    changeCd(0, 25L << 16 | 1L << 22 | 1L << 30);
    assertEquals(0x4_4123, bench.read(-0x4000L + 0x123));
    assertEquals(0x7000, bench.read(0x1000));
    assertEquals(Translator.FAULT, bench.read(-1L << 40));
    bench.event(0x10 | S, READ_IN, -1L << 40, 0);
    changeCd(0, 1L << 14);
    assertEquals(Translator.FAULT, bench.read(0x1000));
    bench.event(0x10 | S, READ_IN, 0x1000, 0);
  }

  @ParameterizedTest(name = "TG1 {1}")
  @DisplayName("IHI 0070 CD.TG1, CD.HAD1: the upper half has encodings and a switch of its own")
  @CsvSource({"14,1,1", "12,2,1", "16,3,2"})
  void upperGranules(int granule, long encoding, int start) {
    RawSmmu.Tables upper =
        new RawSmmu.Tables(
            bench.memory,
            39,
            granule,
            start,
            SmmuBench.TABLES + 0xc0_0000,
            SmmuBench.TABLES + 0xd0_0000);
    long page = 1L << granule;
    upper.map(-page, 0x12_0000, 3, RawSmmu.S1_RW);
    bench.memory.write64(CD + 16, upper.root());
    // T1SZ 25, EPD1 0.
    changeCd(0, 25L << 16 | encoding << 22 | 1L << 30);
    assertEquals(0x12_0000 + page - 1, bench.write(-1L));
    long slot = upper.slot(-page, 2);
    bench.memory.write64(slot, bench.memory.read64(slot) | 2L << 61);
    // HAD0 is not for this half.
    changeCd(1, 2);
    assertEquals(Translator.FAULT, bench.write(-1L));
    bench.event(0x13 | S, WRITE_IN, -1L, 0);
    changeCd(2, 2);
    assertEquals(0x12_0000 + page - 1, bench.write(-1L));
  }

  @Test
  @DisplayName("IHI 0070 CD.TBI0: the top byte is ignored, and recorded")
  void topByte() {
    tables.map(0x1000, 0x7000, 3, RawSmmu.S1_RW);
    assertEquals(Translator.FAULT, bench.read(0x4200_0000_0000_1000L));
    bench.event(0x10 | S, READ_IN, 0x4200_0000_0000_1000L, 0);
    changeCd(0, 1L << 38);
    assertEquals(0x7000, bench.read(0x4200_0000_0000_1000L));
    assertEquals(Translator.FAULT, bench.read(0x4200_0000_0000_2000L));
    bench.event(0x10 | S, READ_IN, 0x4200_0000_0000_2000L, 0);
  }

  @Test
  @DisplayName("IHI 0070 CD.R: 0 ends translation faults without a record")
  void unrecorded() {
    changeCd(0, 1L << 45);
    assertEquals(Translator.FAULT, bench.read(0x1000));
    bench.noEvent();
  }
}
