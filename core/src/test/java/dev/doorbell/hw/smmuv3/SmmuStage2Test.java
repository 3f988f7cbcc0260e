package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuBench.CDS;
import static dev.doorbell.hw.smmuv3.SmmuBench.SID;
import static dev.doorbell.hw.smmuv3.SmmuBench.TABLES;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070 3.4, 7.3: stage 2 and nested translation")
class SmmuStage2Test {
  private static final long S = (long) SID << 32;
  private static final long RNW = 1L << 35;
  private static final long S2 = 1L << 39;
  private static final long TT = 1L << 40;
  private static final long IN = 2L << 40;
  private static final long ROOT2 = TABLES + 0x80_0000;
  private static final int VMID = 7;

  private final SmmuBench bench = new SmmuBench().start();

  private RawSmmu.Tables second(int inputBits, int granule, int start) {
    return new RawSmmu.Tables(bench.memory, inputBits, granule, start, ROOT2, ROOT2 + 0x20_0000);
  }

  @ParameterizedTest(name = "{0}-bit IPA, granule 2^{1}, S2SL0 {2}")
  @DisplayName("DDI 0487 D8.2: start levels, concatenated tables, all granules")
  @CsvSource({
    "44,12,2,0", "40,12,1,1", "43,12,1,1", "39,12,1,1", "32,12,1,1", "34,12,0,2", "30,12,0,2",
        "32,12,0,2",
    "40,14,1,2", "36,14,1,2", "44,14,2,1", "29,14,0,3", "44,16,2,1", "42,16,1,2", "40,16,1,2",
        "32,16,0,3"
  })
  void startLevels(int inputBits, int granule, int sl0, int start) {
    RawSmmu.Tables tables = second(inputBits, granule, start);
    long last = (1L << inputBits) - 1;
    long output = 0x321_0000_0000L;
    tables.map(last, output, 3, RawSmmu.S2_RW);
    tables.map(0, output, 3, RawSmmu.S2_RO);
    bench.ste(SID, RawSmmu.steStage2(VMID, inputBits, sl0, granule, 4, ROOT2));
    assertEquals(output + (1L << granule) - 1, bench.write(last));
    assertEquals(output, bench.read(0));
    assertEquals(Translator.FAULT, bench.write(8));
    bench.event(0x13 | S, S2 | IN, 8, 0);
    if (inputBits < 44) {
      assertEquals(Translator.FAULT, bench.read(last + 1));
      bench.event(0x10 | S, S2 | IN | RNW, last + 1, last + 1);
    }
  }

  @Test
  @DisplayName("IHI 0070 7.3: S2, CLASS IN and IPA of each kind of stage 2 fault")
  void faults() {
    RawSmmu.Tables tables = second(40, 12, 1);
    bench.ste(SID, RawSmmu.steStage2(VMID, 40, 1, 12, 2, ROOT2));
    assertEquals(Translator.FAULT, bench.read(0x5678));
    bench.event(0x10 | S, S2 | IN | RNW, 0x5678, 0x5000);
    tables.map(0x5000, 1L << 40, 3, RawSmmu.S2_RW);
    assertEquals(Translator.FAULT, bench.read(0x5678));
    bench.event(0x11 | S, S2 | IN | RNW, 0x5678, 0x5000);
    tables.map(0x5000, 0x9000, 3, RawSmmu.S2_RW & ~RawSmmu.AF);
    assertEquals(Translator.FAULT, bench.write(0x5678));
    bench.event(0x12 | S, S2 | IN, 0x5678, 0x5000);
    tables.map(0x5000, 0x9000, 3, RawSmmu.S2_WO);
    assertEquals(0x9678, bench.write(0x5678));
    assertEquals(Translator.FAULT, bench.read(0x5678));
    bench.event(0x13 | S, S2 | IN | RNW, 0x5678, 0x5000);
    bench.memory.write64(tables.slot(1L << 31, 1), 0x12_3000 | 3);
    assertEquals(Translator.FAULT, bench.read(1L << 31));
    bench.event(0x0b | S, S2 | IN | RNW, 1L << 31, 0x12_3000);
    bench.memory.write64(tables.slot(1L << 32, 1), 1L << 41 | 3);
    assertEquals(Translator.FAULT, bench.read(1L << 32), "a table beyond S2PS");
    bench.event(0x11 | S, S2 | IN | RNW, 1L << 32, 1L << 32);
    assertEquals(Translator.FAULT, bench.read(1L << 44));
    bench.event(0x11 | S, IN | RNW, 1L << 44, 0);
  }

  @Test
  @DisplayName("IHI 0070 STE.S2R, S2AFFD")
  void flags() {
    RawSmmu.Tables tables = second(40, 12, 1);
    tables.map(0x5000, 0x9000, 3, RawSmmu.S2_RW & ~RawSmmu.AF);
    long[] ste = RawSmmu.steStage2(VMID, 40, 1, 12, 4, ROOT2);
    ste[2] ^= 1L << 58;
    bench.ste(SID, ste);
    assertEquals(Translator.FAULT, bench.read(0x5000));
    bench.noEvent();
    ste[2] |= 1L << 53;
    bench.ste(SID, ste);
    assertEquals(0x9000, bench.read(0x5000));
  }

  @ParameterizedTest(name = "opcode {0} VMID {1} address {2}: {3}")
  @DisplayName("IHI 0070 4.4.3: stage 2 goes by IPA and VMID, and not by stage 1 commands")
  @CsvSource({
    "0x2a,7,0x5000,true",
    "0x2a,6,0x5000,false",
    "0x2a,7,0x6000,false",
    "0x28,7,0,true",
    "0x28,6,0,false",
    "0x30,0,0,true",
    "0x10,7,0,false",
    "0x12,7,0x5000,false"
  })
  void invalidation(String opcode, int vmid, String address, boolean taken) {
    RawSmmu.Tables tables = second(40, 12, 1);
    tables.map(0x5000, 0x9000, 3, RawSmmu.S2_RW);
    bench.ste(SID, RawSmmu.steStage2(VMID, 40, 1, 12, 4, ROOT2));
    assertEquals(0x9000, bench.read(0x5000));
    tables.unmap(0x5000, 3);
    assertEquals(0x9000, bench.read(0x5000));
    bench.command(RawSmmu.tlbi(Integer.decode(opcode), vmid, 0, Long.decode(address), true));
    assertEquals(taken ? Translator.FAULT : 0x9000, bench.read(0x5000));
  }

  /// Nested: guest RAM at IPA 0x8000_0000 is the bench's memory, so stage 1 tables are named by IPA.
  private RawSmmu.Tables nested(RawSmmu.Tables tables2) {
    long offset = 0x8000_0000L - SmmuBench.BASE;
    for (long at = 0; at < SmmuBench.BYTES; at += 0x20_0000) {
      tables2.map(0x8000_0000L + at, SmmuBench.BASE + at, 2, RawSmmu.S2_RW);
    }
    RawSmmu.Quadwords guest =
        new RawSmmu.Quadwords() {
          @Override
          public long get(long address) {
            return bench.memory.get(address - offset);
          }

          @Override
          public void put(long address, long value) {
            bench.memory.put(address - offset, value);
          }
        };
    RawSmmu.Tables tables1 =
        new RawSmmu.Tables(guest, 39, 12, 1, TABLES + offset, TABLES + offset + 0x1_0000);
    RawSmmu.store(guest, CDS + offset, RawSmmu.cd(9, 39, 12, 4, TABLES + offset));
    bench.ste(SID, RawSmmu.steNested(CDS + offset, RawSmmu.steStage2(VMID, 40, 1, 12, 4, ROOT2)));
    return tables1;
  }

  @Test
  @DisplayName("IHI 0070 3.4: nested: CD, tables and output of stage 1 are IPAs")
  void bothStages() {
    RawSmmu.Tables tables2 = second(40, 12, 1);
    RawSmmu.Tables tables1 = nested(tables2);
    tables1.map(0x1000, 0x6000, 3, RawSmmu.S1_RW);
    assertEquals(Translator.FAULT, bench.write(0x1040));
    bench.event(0x10 | S, S2 | IN, 0x1040, 0x6000);
    tables2.map(0x6000, 0x8090000, 3, RawSmmu.S2_RW);
    assertEquals(0x8090040, bench.write(0x1040));
    assertEquals(Translator.FAULT, bench.read(0x2000));
    bench.event(0x10 | S, IN | RNW, 0x2000, 0);
    tables1.map(0x3000, 0x7000, 3, RawSmmu.S1_RW);
    tables2.map(0x7000, 0x8090000, 3, RawSmmu.S2_RO);
    assertEquals(0x8090000, bench.read(0x3000));
    assertEquals(Translator.FAULT, bench.write(0x3008));
    bench.event(0x13 | S, S2 | IN, 0x3008, 0x7000);
  }

  @Test
  @DisplayName("IHI 0070 7.3: a stage 1 table that stage 2 has not: S2, CLASS TT, its IPA")
  void tableMissing() {
    RawSmmu.Tables tables2 = second(40, 12, 1);
    RawSmmu.Tables tables1 = nested(tables2);
    tables1.map(0x1000, 0x6000, 3, RawSmmu.S1_RW);
    bench.memory.write64(TABLES, 0xa000 | 3);
    assertEquals(Translator.FAULT, bench.write(0x20_1000));
    bench.event(0x10 | S, S2 | TT, 0x20_1000, 0xa000);
    tables2.map(0xa000, 0x9000, 3, RawSmmu.S2_WO);
    assertEquals(Translator.FAULT, bench.write(0x20_1000));
    bench.event(0x13 | S, S2 | TT | 1L << 44, 0x20_1000, 0xa000);
  }

  @Test
  @DisplayName("IHI 0070 7.3: a CD that stage 2 has not: S2, CLASS CD, its IPA")
  void cdMissing() {
    second(40, 12, 1);
    bench.ste(SID, RawSmmu.steNested(0xb040, RawSmmu.steStage2(VMID, 40, 1, 12, 4, ROOT2)));
    assertEquals(Translator.FAULT, bench.write(0x1000));
    bench.event(0x10 | S, S2, 0x1000, 0xb000);
  }

  @Test
  @DisplayName("IHI 0070 STE.S2PTW: stage 1 tables in device memory")
  void protectedWalk() {
    RawSmmu.Tables tables2 = second(40, 12, 1);
    RawSmmu.Tables tables1 = nested(tables2);
    tables1.map(0x1000, 0x6000, 3, RawSmmu.S1_RW);
    tables2.map(0x6000, 0x8090000, 3, RawSmmu.S2_DEVICE_RW);
    long table = TABLES + 0x8000_0000L - SmmuBench.BASE;
    tables2.map(table & -0x20_0000L, TABLES & -0x20_0000L, 2, RawSmmu.S2_DEVICE_RW);
    long[] ste = RawSmmu.steNested(0, RawSmmu.steStage2(VMID, 40, 1, 12, 4, ROOT2));
    ste[0] |= CDS + 0x8000_0000L - SmmuBench.BASE;
    assertEquals(0x8090000, bench.write(0x1000), "device memory for the access itself is fine");
    ste[2] |= 1L << 54;
    bench.ste(SID, ste);
    bench.command(RawSmmu.tlbi(0x30, 0, 0, 0, false));
    assertEquals(Translator.FAULT, bench.write(0x1000));
    bench.event(0x13 | S, S2 | TT | 1L << 44, 0x1000, table);
  }

  @Test
  @DisplayName(
      "IHI 0070 4.4.3: CMD_TLBI_S2_IPA leaves nested translations, CMD_TLBI_NH_ALL takes them")
  void nestedInvalidation() {
    RawSmmu.Tables tables2 = second(40, 12, 1);
    RawSmmu.Tables tables1 = nested(tables2);
    tables1.map(0x1000, 0x6000, 3, RawSmmu.S1_RW);
    tables2.map(0x6000, 0x8090000, 3, RawSmmu.S2_RW);
    assertEquals(0x8090000, bench.write(0x1000));
    tables2.unmap(0x6000, 3);
    bench.command(RawSmmu.tlbi(0x2a, VMID, 0, 0x6000, true));
    assertEquals(0x8090000, bench.write(0x1000));
    bench.command(RawSmmu.tlbi(0x10, VMID, 0, 0, false));
    assertEquals(Translator.FAULT, bench.write(0x1000));
    bench.event(0x10 | S, S2 | IN, 0x1000, 0x6000);
  }
}
