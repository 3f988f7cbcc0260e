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

@DisplayName("IHI 0070 4.3, 4.4: what is cached stays until it is invalidated")
class SmmuCachesTest {
  private static final long S = (long) SID << 32;

  private SmmuBench bench = new SmmuBench();
  private RawSmmu.Tables tables = bench.tables(SID, 39, 12);

  @BeforeEach
  void start() {
    bench = new SmmuBench().start();
    tables = bench.stage1(SID, 9, 39, 12);
    tables.map(0x1000, 0x7000, 3, RawSmmu.S1_RW);
  }

  private void gone(long iova) {
    assertEquals(Translator.FAULT, bench.read(iova));
    assertEquals(0x10 | S, bench.event()[0]);
  }

  @Test
  @DisplayName("IHI 0070 4.4: faults are not cached: mapping after a fault needs no command")
  void faultsAreNotCached() {
    gone(0x2000);
    tables.map(0x2000, 0x8000, 3, RawSmmu.S1_RW);
    assertEquals(0x8000, bench.read(0x2000));
  }

  @ParameterizedTest(name = "opcode {0} VMID {1} ASID {2} address {3}: {4}")
  @DisplayName("IHI 0070 4.4.2: commands take what they name, and nothing else")
  @CsvSource({
    "0x12,0,9,0x1000,true",
    "0x12,0,8,0x1000,false",
    "0x12,1,9,0x1000,false",
    "0x12,0,9,0x2000,false",
    "0x12,0,9,0x0,false",
    "0x13,0,8,0x1000,true",
    "0x13,0,8,0x2000,false",
    "0x13,1,9,0x1000,false",
    "0x11,0,9,0,true",
    "0x11,0,8,0,false",
    "0x11,1,9,0,false",
    "0x10,0,0,0,true",
    "0x10,1,0,0,false",
    "0x28,0,0,0,true",
    "0x28,1,0,0,false",
    "0x2a,0,0,0x1000,false",
    "0x30,0,0,0,true"
  })
  void exact(String opcode, int vmid, int asid, String address, boolean taken) {
    for (boolean leaf : new boolean[] {true, false}) {
      tables.map(0x1000, 0x7000, 3, RawSmmu.S1_RW);
      assertEquals(0x7000, bench.read(0x1000));
      tables.unmap(0x1000, 3);
      assertEquals(0x7000, bench.read(0x1000), "stale until invalidated");
      bench.command(RawSmmu.tlbi(Integer.decode(opcode), vmid, asid, Long.decode(address), leaf));
      bench.command(RawSmmu.sync());
      if (taken) {
        gone(0x1000);
      } else {
        assertEquals(0x7000, bench.read(0x1000));
      }
    }
  }

  @ParameterizedTest(name = "nG 0, opcode {0} ASID {1}: {2}")
  @DisplayName(
      "IHI 0070 4.4.2: global translations outlive CMD_TLBI_NH_ASID, and go by address under any ASID")
  @CsvSource({"0x11,9,false", "0x12,9,true", "0x12,8,true", "0x13,0,true", "0x10,0,true"})
  void global(String opcode, int asid, boolean taken) {
    tables.map(0x1000, 0x7000, 3, RawSmmu.S1_RW & ~RawSmmu.NG);
    assertEquals(0x7000, bench.read(0x1000));
    tables.unmap(0x1000, 3);
    bench.command(RawSmmu.tlbi(Integer.decode(opcode), 0, asid, 0x1000, true));
    if (taken) {
      gone(0x1000);
    } else {
      assertEquals(0x7000, bench.read(0x1000));
    }
  }

  @Test
  @DisplayName("IHI 0070 4.4: an address inside a block takes the whole block")
  void block() {
    tables.map(0x4000_0000L, 0x8000_0000L, 2, RawSmmu.S1_RW);
    assertEquals(0x8000_0000L, bench.read(0x4000_0000L));
    tables.unmap(0x4000_0000L, 2);
    assertEquals(0x801f_f000L, bench.read(0x401f_f000L), "one entry covers the block");
    bench.command(RawSmmu.tlbi(0x12, 0, 9, 0x4010_0000L, true));
    gone(0x4000_0000L);
  }

  @Test
  @DisplayName("DDI 0487 D8.7.1 Contiguous: one entry covers the run")
  void contiguous() {
    for (int i = 0; i < 16; i++) {
      tables.map(
          0x10000 + 0x1000L * i, 0x90000 + 0x1000L * i, 3, RawSmmu.S1_RW | RawSmmu.CONTIGUOUS);
    }
    assertEquals(0x93000, bench.read(0x13000));
    for (int i = 0; i < 16; i++) {
      tables.unmap(0x10000 + 0x1000L * i, 3);
    }
    assertEquals(0x9f008, bench.read(0x1f008));
    bench.command(RawSmmu.tlbi(0x12, 0, 9, 0x1a000, true));
    gone(0x13000);
  }

  @Test
  @DisplayName("IHI 0070 4.4.1 Leaf: 1 leaves table pointers, 0 takes those on the way")
  void leafAlone() {
    assertEquals(0x7000, bench.read(0x1000));
    long slot = tables.slot(0x1000, 2);
    long otherTable = SmmuBench.TABLES + 0xd0_0000;
    bench.memory.write64(otherTable + 8, 0x9000 | RawSmmu.S1_RW | RawSmmu.PAGE);
    bench.memory.write64(slot, otherTable | RawSmmu.TABLE);
    bench.command(RawSmmu.tlbi(0x12, 0, 9, 0x1000, true));
    assertEquals(0x7000, bench.read(0x1000), "through the stale table pointer");
    bench.command(RawSmmu.tlbi(0x12, 0, 9, 0x40_0000, false));
    bench.command(RawSmmu.tlbi(0x12, 0, 9, 0x1000, true));
    assertEquals(0x7000, bench.read(0x1000), "another table's range was named");
    bench.command(RawSmmu.tlbi(0x12, 0, 9, 0x1000, false));
    assertEquals(0x9000, bench.read(0x1000));
  }

  @ParameterizedTest(name = "TG {0} SCALE {1} NUM {2} TTL {3} from {4}: {5}")
  @DisplayName("IHI 0070 4.4.1.1: range invalidation by NUM, SCALE, TG and TTL")
  @CsvSource({
    "1,0,1,0,0x0,true", "1,0,0,3,0x1000,true", "1,0,0,3,0x0,false", "1,0,0,2,0x1000,false",
    "1,0,1,3,0x2000,false", "1,1,0,0,0x0,true", "1,31,31,0,0x0,true", "2,0,1,0,0x0,false",
    "3,1,3,0,0x0,false", "1,9,0,0,0x0,true", "1,9,0,0,0x200000,false"
  })
  void ranges(int tg, int scale, int num, int ttl, String from, boolean taken) {
    assertEquals(0x7000, bench.read(0x1000));
    tables.unmap(0x1000, 3);
    bench.command(
        RawSmmu.tlbiRange(RawSmmu.tlbi(0x12, 0, 9, Long.decode(from), true), tg, scale, num, ttl));
    bench.commandsDone();
    if (taken) {
      gone(0x1000);
    } else {
      assertEquals(0x7000, bench.read(0x1000));
    }
  }

  @Test
  @DisplayName(
      "IHI 0070 4.3: the STE is cached until CMD_CFGI_STE of its StreamID, or CMD_CFGI_ALL")
  void steStays() {
    assertEquals(0x7000, bench.read(0x1000));
    bench.steQuietly(SID, RawSmmu.ste(4));
    assertEquals(0x7000, bench.read(0x1000));
    bench.command(RawSmmu.cfgiSte(SID + 1, true));
    assertEquals(0x7000, bench.read(0x1000));
    bench.command(RawSmmu.cfgiSte(SID, true));
    assertEquals(0x1000, bench.read(0x1000));
    bench.steQuietly(SID, RawSmmu.ste(0));
    assertEquals(0x1000, bench.read(0x1000));
    bench.command(RawSmmu.cfgiAll());
    assertEquals(Translator.FAULT, bench.read(0x1000));
  }

  @ParameterizedTest(name = "StreamID {0} Range {1}: {2}")
  @DisplayName(
      "IHI 0070 4.3.2: CMD_CFGI_STE_RANGE takes the aligned 2^(Range+1) around its StreamID")
  @CsvSource({
    "0x108,0,true",
    "0x109,0,true",
    "0x10a,0,false",
    "0x100,3,true",
    "0x10f,3,true",
    "0x110,3,false",
    "0x1ff,7,true",
    "0x200,7,false",
    "0xffff,15,true"
  })
  void steRange(String stream, int range, boolean taken) {
    assertEquals(0x7000, bench.read(0x1000));
    bench.steQuietly(SID, RawSmmu.ste(4));
    bench.command(0x04 | Long.decode(stream) << 32, range);
    assertEquals(taken ? 0x1000 : 0x7000, bench.read(0x1000));
  }

  @Test
  @DisplayName(
      "IHI 0070 4.3.3: the CD is cached until CMD_CFGI_CD, CMD_CFGI_CD_ALL or CMD_CFGI_STE of its stream")
  void cdStays() {
    assertEquals(0x7000, bench.read(0x1000));
    RawSmmu.Tables other = bench.tables(3, 39, 12);
    other.map(0x1000, 0x9000, 3, RawSmmu.S1_RW);
    long cd = CDS + 64L * (SID & 0xff);
    RawSmmu.store(bench.memory, cd, RawSmmu.cd(10, 39, 12, 4, other.root()));
    assertEquals(0x7000, bench.read(0x1000));
    bench.command(RawSmmu.cfgiCd(SID, 1, true));
    bench.command(RawSmmu.cfgiCd(SID + 1, 0, true));
    assertEquals(0x7000, bench.read(0x1000));
    bench.command(RawSmmu.cfgiCd(SID, 0, true));
    assertEquals(0x9000, bench.read(0x1000));
    RawSmmu.store(bench.memory, cd, RawSmmu.cd(9, 39, 12, 4, tables.root()));
    bench.command(0x06 | S, 0);
    assertEquals(0x7000, bench.read(0x1000));
  }

  @Test
  @DisplayName("IHI 0070 4.3: an invalid STE is cached too; one that could not be fetched is not")
  void invalidSteStays() {
    int stream = SID + 1;
    assertEquals(Translator.FAULT, bench.smmu.translate(stream, -1, 0, Translator.READ));
    bench.steQuietly(stream, RawSmmu.ste(4));
    assertEquals(Translator.FAULT, bench.smmu.translate(stream, -1, 0, Translator.READ));
    bench.command(RawSmmu.cfgiSte(stream, true));
    assertEquals(0, bench.smmu.translate(stream, -1, 0, Translator.READ));
  }

  @Test
  @DisplayName("two streams of one ASID share translations; of another they do not")
  void sharing() {
    bench.steQuietly(1, RawSmmu.steStage1(CDS + 64L * (SID & 0xff)));
    assertEquals(0x7000, bench.read(0x1000));
    tables.unmap(0x1000, 3);
    assertEquals(0x7000, bench.smmu.translate(1, -1, 0x1000, Translator.READ));
    RawSmmu.store(bench.memory, CDS + 64, RawSmmu.cd(10, 39, 12, 4, tables.root()));
    bench.steQuietly(2, RawSmmu.steStage1(CDS + 64));
    assertEquals(Translator.FAULT, bench.smmu.translate(2, -1, 0x1000, Translator.READ));
  }

  @Test
  @DisplayName("a full cache loses single entries and stays right")
  void fullCache() {
    bench = new SmmuBench(SmmuFeatures.qemu10().withCachedTranslations(16)).start();
    tables = bench.stage1(SID, 9, 39, 12);
    for (int i = 0; i < 200; i++) {
      tables.map(0x1000L * i, 0x10_0000 + 0x1000L * i, 3, RawSmmu.S1_RW);
    }
    for (int pass = 0; pass < 3; pass++) {
      for (int i = 0; i < 200; i++) {
        assertEquals(0x10_0000 + 0x1000L * i + pass, bench.read(0x1000L * i + pass));
      }
    }
    int stale = 0;
    for (int i = 0; i < 200; i++) {
      tables.unmap(0x1000L * i, 3);
    }
    for (int i = 0; i < 200; i++) {
      stale += bench.read(0x1000L * i) == Translator.FAULT ? 0 : 1;
    }
    assertEquals(true, stale > 4 && stale <= 16, "stale entries: " + stale);
    bench.command(RawSmmu.tlbi(0x11, 0, 9, 0, false));
    for (int i = 0; i < 200; i++) {
      assertEquals(Translator.FAULT, bench.read(0x1000L * i));
    }
  }
}
