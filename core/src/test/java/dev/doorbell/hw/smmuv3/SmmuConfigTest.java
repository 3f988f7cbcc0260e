package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuBench.BASE;
import static dev.doorbell.hw.smmuv3.SmmuBench.CDS;
import static dev.doorbell.hw.smmuv3.SmmuBench.SID;
import static dev.doorbell.hw.smmuv3.SmmuBench.STREAMS;
import static dev.doorbell.hw.smmuv3.SmmuBench.TABLES;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("IHI 0070 5: stream table, STE and CD")
class SmmuConfigTest {
  private static final long S = (long) SID << 32;

  @ParameterizedTest(name = "Config 0b{0}")
  @DisplayName("IHI 0070 STE.Config: 0b0xx aborts and records nothing")
  @ValueSource(strings = {"000", "001", "010", "011"})
  void abort(String config) {
    SmmuBench bench = new SmmuBench().start();
    bench.ste(SID, RawSmmu.ste(Integer.parseInt(config, 2)));
    assertEquals(Translator.FAULT, bench.write(0x1000));
    bench.noEvent();
  }

  @Test
  @DisplayName("IHI 0070 STE.Config: 0b100 passes what fits the output size, F_ADDR_SIZE beyond")
  void bypass() {
    SmmuBench bench = new SmmuBench().start();
    bench.ste(SID, RawSmmu.ste(4));
    assertEquals(0x8090040L, bench.write(0x8090040L));
    assertEquals(Translator.FAULT, bench.write(1L << 44));
    bench.event(0x11 | S, 2L << 40, 1L << 44, 0);
  }

  @Test
  @DisplayName("IHI 0070 STE.V: 0 is C_BAD_STE")
  void invalidSte() {
    SmmuBench bench = new SmmuBench().start();
    assertEquals(Translator.FAULT, bench.write(0x1000));
    bench.event(0x04 | S, 0, 0, 0);
  }

  @ParameterizedTest(name = "quadword {0} bits {1}")
  @DisplayName("IHI 0070 5.2: ILLEGAL combinations in a stage 1 STE are C_BAD_STE")
  @CsvSource({
    "1,0x0000000008000000", // S1STALLD, STALL_MODEL 1
    "0,0x0000100000000000" // S1ContextPtr beyond OAS
  })
  void illegalStage1(int word, String bits) {
    SmmuBench bench = new SmmuBench().start();
    bench.stage1(SID, 1, 39, 12);
    long[] ste = RawSmmu.steStage1(CDS + 64L * (SID & 0xff));
    ste[word] |= Long.decode(bits);
    bench.ste(SID, ste);
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x04 | S, 0, 0, 0);
  }

  @ParameterizedTest(name = "quadword {0} toggled by {1}")
  @DisplayName("IHI 0070 5.2: ILLEGAL combinations in a stage 2 STE are C_BAD_STE")
  @CsvSource({
    "2,0x0008000000000000", // S2AA64 0
    "2,0x0010000000000000", // S2ENDI big-endian
    "2,0x0200000000000000", // S2S, STALL_MODEL 1
    "2,0x0100000000000000", // S2HA, HTTU 0
    "2,0x0080000000000000", // S2HD
    "2,0x0000c00000000000", // S2TG reserved
    "2,0x0000008000000000", // S2SL0 reserved
    "2,0x0000001f00000000", // S2T0SZ far from S2SL0
    "3,0x0000100000000000" // S2TTB beyond S2PS
  })
  void illegalStage2(int word, String bits) {
    SmmuBench bench = new SmmuBench().start();
    long[] ste = RawSmmu.steStage2(7, 40, 1, 12, 4, TABLES);
    ste[word] ^= Long.decode(bits);
    bench.ste(SID, ste);
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x04 | S, 0, 0, 0);
  }

  @Test
  @DisplayName("IHI 0070 5.2: stage 2 without IDR0.S2P, and stage 1 without S1P, are C_BAD_STE")
  void absentStages() {
    SmmuBench bench = new SmmuBench(SmmuFeatures.qemu72()).start();
    bench.ste(SID, RawSmmu.steStage2(7, 40, 1, 12, 4, TABLES));
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x04 | S, 0, 0, 0);
    SmmuBench second =
        new SmmuBench(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_S1P, 0)).start();
    second.ste(SID, RawSmmu.steStage1(CDS));
    assertEquals(Translator.FAULT, second.read(0));
    second.event(0x04 | S, 0, 0, 0);
  }

  @ParameterizedTest(name = "quadword {0} bits {1}")
  @DisplayName("IHI 0070 5.2.2 SteIllegal: fields of features that are absent are ignored")
  @CsvSource({
    "0,0x0800000000000000", // S1CDMax 1, SSIDSIZE 0
    "0,0x0000000000000020", // S1Fmt, SSIDSIZE 0
    "1,0x0000000000000001", // S1DSS, SSIDSIZE 0
    "1,0x0000000080000000", // STRW EL2, Hyp 0
    "1,0x0000000040000000" // STRW reserved, Hyp 0
  })
  void ignoredFields(int word, String bits) {
    SmmuBench bench = new SmmuBench().start();
    bench.stage1(SID, 1, 39, 12);
    long[] ste = RawSmmu.steStage1(CDS + 64L * (SID & 0xff));
    ste[word] ^= Long.decode(bits);
    bench.ste(SID, ste);
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x10 | S, 0x0000_0208_0000_0000L, 0, 0);
  }

  @Test
  @DisplayName("IHI 0070 5.2.2 SteIllegal: with Hyp, STRW 0b01 and 0b11 are ILLEGAL")
  void reservedWorlds() {
    for (long strw : new long[] {1L << 30, 3L << 30}) {
      SmmuBench bench =
          new SmmuBench(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_HYP, 1)).start();
      long[] ste = RawSmmu.steStage1(CDS);
      ste[1] |= strw;
      bench.ste(SID, ste);
      assertEquals(Translator.FAULT, bench.read(0));
      bench.event(0x04 | S, 0, 0, 0);
    }
  }

  @Test
  @DisplayName("IHI 0070 5.4.2 CdIllegal: ENDI counts only where a table is used")
  void unusedEndianness() {
    SmmuBench bench = new SmmuBench().start();
    bench.stage1(SID, 1, 39, 12);
    long cd = CDS + 64L * (SID & 0xff);
    bench.memory.write64(cd, bench.memory.read64(cd) | 1L << 14 | 1L << 15);
    bench.command(RawSmmu.cfgiCd(SID, 0, true));
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x10 | S, 0x0000_0208_0000_0000L, 0, 0);
  }

  @ParameterizedTest(name = "quadword {0} toggled by {1}")
  @DisplayName("IHI 0070 5.4: invalid and ILLEGAL CDs are C_BAD_CD")
  @CsvSource({
    "0,0x0000000080000000", // V 0
    "0,0x0000020000000000", // AA64 0
    "0,0x0000000000008000", // ENDI big-endian
    "0,0x0000400000000000", // A 0, TERM_MODEL 1
    "0,0x0000100000000000", // S, STALL_MODEL 1
    "0,0x0000080000000000", // HA, HTTU 0
    "0,0x0000040000000000", // HD
    "0,0x00000000000000c0", // TG0 reserved
    "0,0x0000000000000021", // T0SZ out of range
    "0,0x0000000040000000", // EPD1 0: T1SZ and TG1 are out of range
    "1,0x0000100000000000" // TTB0 beyond IPS
  })
  void illegalCd(int word, String bits) {
    SmmuBench bench = new SmmuBench().start();
    bench.stage1(SID, 1, 39, 12);
    bench.memory.write64(
        CDS + 64L * (SID & 0xff) + 8L * word,
        bench.memory.read64(CDS + 64L * (SID & 0xff) + 8L * word) ^ Long.decode(bits));
    bench.command(RawSmmu.cfgiCd(SID, 0, true));
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x0a | S, 0, 0, 0);
  }

  @Test
  @DisplayName("IHI 0070 7.3.4, 7.3.10: STE and CD that cannot be fetched, with their addresses")
  void fetchAborts() {
    SmmuBench bench = new SmmuBench().start();
    bench.ste(SID, RawSmmu.steStage1(0x12_3440));
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x09 | S, 0, 0, 0x12_3440);
    bench.write32(0x20, 0xc);
    bench.write64(0x80, 0x20_0000);
    bench.write32(0x20, 0xd);
    bench.command(RawSmmu.cfgiAll());
    assertEquals(Translator.FAULT, bench.read(0));
    // A linear table is aligned to its size: 4 MiB.
    bench.event(0x03 | S, 0, 0, 64L * SID);
  }

  @Test
  @DisplayName("IHI 0070 7.3.3: C_BAD_STREAMID beyond LOG2SIZE, recorded with CR2.RECINVSID alone")
  void badStream() {
    SmmuBench bench = new SmmuBench();
    bench.write32(0x88, 8);
    bench.write64(0x80, STREAMS);
    bench.write64(0xa0, SmmuBench.EVENTS | SmmuBench.EVENTS_LOG2);
    bench.write32(0x20, 5);
    assertEquals(Translator.FAULT, bench.read(0));
    bench.noEvent();
    bench.write32(0x20, 4);
    bench.write32(0x2c, 2);
    bench.write32(0x20, 5);
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x02 | S, 0, 0, 0);
    assertEquals(Translator.FAULT, bench.smmu.translate(-1, -1, 0, Translator.READ));
    bench.event(0x02 | 0xffff_ffff_0000_0000L, 0, 0, 0);
  }

  @ParameterizedTest(name = "SPLIT {0}")
  @DisplayName(
      "IHI 0070 3.3.2: two-level stream table: Span, its end, Span 0, reserved Span, and an aborted"
          + " fetch")
  @ValueSource(ints = {6, 8, 10})
  void twoLevel(int split) {
    SmmuBench bench = new SmmuBench();
    long l2 = BASE + 0x10_0000;
    bench.write32(0x88, 16 | split << 6 | 1 << 16);
    bench.write64(0x80, STREAMS);
    bench.write64(0x90, SmmuBench.COMMANDS | SmmuBench.COMMANDS_LOG2);
    bench.write64(0xa0, SmmuBench.EVENTS | SmmuBench.EVENTS_LOG2);
    bench.write32(0x2c, 2);
    bench.write32(0x20, 0xd);
    int unit = 1 << split;
    bench.memory.write64(STREAMS, l2 | 3);
    bench.memory.write64(STREAMS + 8, 0);
    bench.memory.write64(STREAMS + 16, l2 | (split + 2));
    bench.memory.write64(STREAMS + 24, 0x5000 | 1);
    bench.memory.write64(STREAMS + 32, l2 | (split + 1));
    RawSmmu.store(bench.memory, l2 + 3 * 64, RawSmmu.ste(4));
    RawSmmu.store(bench.memory, l2 + (unit - 1) * 64L, RawSmmu.ste(4));
    assertEquals(0x1000, bench.smmu.translate(3, -1, 0x1000, Translator.READ));
    assertEquals(0x1000, bench.smmu.translate(5 * unit - 1, -1, 0x1000, Translator.READ));
    for (int stream : new int[] {4, unit, 2 * unit, 3 * unit + 1}) {
      assertEquals(Translator.FAULT, bench.smmu.translate(stream, -1, 0x1000, Translator.READ));
      bench.event(0x02 | (long) stream << 32, 0, 0, 0);
    }
    assertEquals(Translator.FAULT, bench.smmu.translate(3 * unit, -1, 0x1000, Translator.READ));
    bench.event(0x03 | 3L * unit << 32, 0, 0, 0x5000);
    // The level-1 descriptor is cached: CMD_CFGI_STE with Leaf leaves it.
    bench.memory.write64(STREAMS, 0);
    bench.command(RawSmmu.cfgiSte(3, true));
    assertEquals(0x1000, bench.smmu.translate(3, -1, 0x1000, Translator.READ));
    bench.command(RawSmmu.cfgiSte(3, false));
    assertEquals(Translator.FAULT, bench.smmu.translate(3, -1, 0x1000, Translator.READ));
    bench.event(0x02 | 3L << 32, 0, 0, 0);
  }

  @Test
  @DisplayName(
      "IHI 0070 3.9: a SubstreamID needs stage 1 and S1CDMax: C_BAD_SUBSTREAMID, which has no SSV"
          + " (7.3.9)")
  void substreamWithoutTable() {
    SmmuBench bench = new SmmuBench().start();
    bench.stage1(SID, 1, 39, 12);
    assertEquals(Translator.FAULT, bench.smmu.translate(SID, 3, 0, Translator.READ));
    bench.event(0x08 | S | 3L << 12, 0, 0, 0);
    bench.ste(SID, RawSmmu.ste(4));
    assertEquals(Translator.FAULT, bench.smmu.translate(SID, 3, 0, Translator.READ));
    bench.event(0x08 | S | 3L << 12, 0, 0, 0);
  }

  @ParameterizedTest(name = "S1Fmt {0}")
  @DisplayName("IHI 0070 3.9, STE.S1DSS: CDs by SubstreamID, linear and two-level")
  @ValueSource(ints = {0, 1, 2})
  void substreams(int format) {
    SmmuBench bench =
        new SmmuBench(
                SmmuFeatures.qemu10()
                    .withIdr1(SmmuRegisters.IDR1_SSIDSIZE, 8)
                    .withIdr0(SmmuRegisters.IDR0_CD2L, 1))
            .start();
    RawSmmu.Tables tables = bench.tables(SID, 39, 12);
    tables.map(0x1000, 0x7000, 3, RawSmmu.S1_RW);
    long leaf = CDS + 0x1_0000;
    if (format != 0) {
      bench.memory.write64(CDS, leaf | 1);
    }
    long array = format == 0 ? CDS : leaf;
    for (int cd : new int[] {0, 5}) {
      RawSmmu.store(bench.memory, array + 64L * cd, RawSmmu.cd(1 + cd, 39, 12, 4, tables.root()));
    }
    long[] ste = RawSmmu.steStage1(CDS);
    ste[0] |= (long) format << 4 | 7L << 59;
    for (int dss = 0; dss < 3; dss++) {
      ste[1] = dss;
      bench.ste(SID, ste);
      assertEquals(0x7000, bench.smmu.translate(SID, 5, 0x1000, Translator.READ));
      long without = bench.read(0x1000);
      long zero = bench.smmu.translate(SID, 0, 0x1000, Translator.READ);
      switch (dss) {
        case 0 -> {
          assertEquals(Translator.FAULT, without);
          bench.event(0x06 | S, 0, 0, 0);
          assertEquals(0x7000, zero);
        }
        case 1 -> {
          assertEquals(0x1000, without, "stage 1 bypassed");
          assertEquals(0x7000, zero);
        }
        default -> {
          assertEquals(0x7000, without);
          assertEquals(Translator.FAULT, zero);
          // CD 0 is for accesses without a SubstreamID (7.3.7); the record tells no SubstreamID.
          bench.event(0x06 | S, 0, 0, 0);
        }
      }
    }
    assertEquals(Translator.FAULT, bench.smmu.translate(SID, 128, 0x1000, Translator.READ));
    bench.event(0x08 | S | 128L << 12, 0, 0, 0);
    assertEquals(Translator.FAULT, bench.smmu.translate(SID, 6, 0x1000, Translator.READ));
    bench.event(0x0a | S | 1L << 11 | 6L << 12, 0, 0, 0);
    if (format == 1) {
      assertEquals(Translator.FAULT, bench.smmu.translate(SID, 64, 0x1000, Translator.READ));
      bench.event(0x08 | S | 64L << 12, 0, 0, 0);
    }
    // A leaf of 4 KiB holds 64 CDs, one of 64 KiB 1024 (STE.S1Fmt).
    RawSmmu.store(bench.memory, array + 64L * 100, RawSmmu.cd(101, 39, 12, 4, tables.root()));
    assertEquals(
        format == 1 ? Translator.FAULT : 0x7000,
        bench.smmu.translate(SID, 100, 0x1000, Translator.READ));
  }

  @Test
  @DisplayName("IHI 0070 CD.ASID, STE.S2VMID: 8 bits where IDR0 has no 16")
  void narrowTags() {
    SmmuFeatures narrow =
        SmmuFeatures.qemu10()
            .withIdr0(SmmuRegisters.IDR0_ASID16, 0)
            .withIdr0(SmmuRegisters.IDR0_VMID16, 0);
    SmmuBench bench = new SmmuBench(narrow).start();
    bench.stage1(SID, 0x100, 39, 12);
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x0a | S, 0, 0, 0);
    bench.ste(SID, RawSmmu.steStage2(0x100, 40, 1, 12, 4, TABLES));
    assertEquals(Translator.FAULT, bench.read(0));
    bench.event(0x04 | S, 0, 0, 0);
  }
}
