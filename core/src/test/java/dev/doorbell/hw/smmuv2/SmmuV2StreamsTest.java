package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.Gr0Registers.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0062 2.4: stream mapping and global faults")
class SmmuV2StreamsTest {
  private static final int SID = 0x123;

  private final V2Bench bench = new V2Bench();

  private static long smr(int id, int mask) {
    return SMR_VALID.place(1) | SMR_ID.place(id) | SMR_MASK.place(mask);
  }

  private static long way(int type) {
    return S2CR_TYPE.place(type);
  }

  private V2Bench on(long flags) {
    return bench.gr0(CR0, 0, flags);
  }

  @Test
  @DisplayName("after reset CLIENTPD is 1 and everything passes")
  void reset() {
    assertEquals(1, bench.gr0(CR0, 0));
    assertEquals(0x1234, bench.write(SID, 0x1234));
    assertEquals(0, bench.gr0(GFSR, 0));
  }

  @Test
  @DisplayName("USFCFG: a stream that nothing matches faults, or passes")
  void unidentified() {
    on(0);
    assertEquals(0x1234, bench.write(SID, 0x1234));
    on(CR0_USFCFG.mask());
    assertEquals(Translator.FAULT, bench.write(SID, 0x1234));
    assertEquals(GFSR_USF.mask(), bench.gr0(GFSR, 0));
    assertEquals(0x1234, bench.gr0(GFAR, 0));
    assertEquals(SID, bench.gr0(GFSYNR1, 0));
    assertEquals(GFSYNR0_WNR.mask() | GFSYNR0_NSSTATE.mask(), bench.gr0(GFSYNR0, 0));
    bench.read(7, 0x9999);
    assertEquals(GFSR_USF.mask() | GFSR_MULTI.mask(), bench.gr0(GFSR, 0), "the first one stays");
    assertEquals(SID, bench.gr0(GFSYNR1, 0));
    bench.gr0(GFSR, 0, -1);
    assertEquals(0, bench.gr0(GFSR, 0));
    bench.gr0(GFSRRESTORE, 0, GFSR_USF.mask());
    assertEquals(GFSR_USF.mask(), bench.gr0(GFSR, 0));
  }

  @ParameterizedTest
  @DisplayName("SMRn: bits that MASK names are not compared, and none without VALID are")
  @CsvSource({
    "0x123, 0, 0x123, true",
    "0x123, 0, 0x122, false",
    "0x120, 0xf, 0x123, true",
    "0x12f, 0xf, 0x123, true",
    "0x120, 0xf, 0x133, false",
    "0, 0x7fff, 0x7fff, true",
  })
  void mask(String id, String mask, String stream, boolean matches) {
    bench.gr0(S2CR, 5, way(TYPE_BYPASS));
    bench.gr0(SMR, 5, smr(Integer.decode(id), Integer.decode(mask)));
    on(CR0_USFCFG.mask());
    int sid = Integer.decode(stream);
    assertEquals(matches ? 0x1000 : Translator.FAULT, bench.write(sid, 0x1000));
    bench.gr0(SMR, 5, smr(Integer.decode(id), Integer.decode(mask)) & ~SMR_VALID.mask());
    assertEquals(Translator.FAULT, bench.write(sid, 0x1000));
  }

  @Test
  @DisplayName("SMCFCFG: a stream that two registers match faults, or passes")
  void conflict() {
    bench.gr0(S2CR, 0, way(TYPE_FAULT)).gr0(S2CR, 1, way(TYPE_FAULT));
    bench.gr0(SMR, 0, smr(0x120, 0xf)).gr0(SMR, 1, smr(SID, 0));
    on(CR0_SMCFCFG.mask());
    assertEquals(Translator.FAULT, bench.write(SID, 0x1000));
    assertEquals(GFSR_SMCF.mask(), bench.gr0(GFSR, 0));
    on(0);
    assertEquals(0x1000, bench.write(SID, 0x1000));
  }

  @Test
  @DisplayName(
      "S2CRn.TYPE: fault and the reserved type are invalid context faults; so is a bank whose stage 2 faults")
  void types() {
    bench.gr0(SMR, 0, smr(SID, 0));
    on(0);
    for (long type : new long[] {way(TYPE_FAULT), way(3)}) {
      bench.gr0(S2CR, 0, type);
      assertEquals(Translator.FAULT, bench.write(SID, 0x1000));
      assertEquals(GFSR_ICF.mask(), bench.gr0(GFSR, 0));
      bench.gr0(GFSR, 0, -1);
    }
    bench.gr0(S2CR, 0, S2CR_CBNDX.place(2));
    bench.gr1(Gr1Registers.CBAR, 2, Gr1Registers.CBAR_TYPE.place(Gr1Registers.TYPE_S1_S2_FAULT));
    assertEquals(Translator.FAULT, bench.write(SID, 0x1000));
    assertEquals(GFSR_ICF.mask(), bench.gr0(GFSR, 0));
  }

  @Test
  @DisplayName("a context bank that is not implemented is an unimplemented context bank fault")
  void noBank() {
    bench.gr0(SMR, 0, smr(SID, 0)).gr0(S2CR, 0, S2CR_CBNDX.place(bench.features.banks()));
    on(0);
    assertEquals(Translator.FAULT, bench.write(SID, 0x1000));
    assertEquals(GFSR_UCBF.mask(), bench.gr0(GFSR, 0));
    bench.gr0(GFSR, 0, -1);
    bench.gr0(S2CR, 0, 0);
    bench.gr1(
        Gr1Registers.CBAR,
        0,
        Gr1Registers.CBAR_TYPE.place(Gr1Registers.TYPE_S1_S2) | Gr1Registers.CBAR_CBNDX.place(0));
    assertEquals(Translator.FAULT, bench.write(SID, 0x1000), "stage 2's bank is one of stage 1");
    assertEquals(GFSR_UCBF.mask(), bench.gr0(GFSR, 0));
  }

  @Test
  @DisplayName(
      "EXIDENABLE: 16 bits of StreamID, valid by S2CRn.EXIDVALID; without EXIDS it stays clear")
  void extended() {
    on(CR0_EXIDENABLE.mask());
    assertEquals(0, bench.gr0(CR0, 0));
    V2Bench wide = new V2Bench(bench.features.withIdr0(IDR0_EXIDS, 1));
    wide.gr0(CR0, 0, CR0_EXIDENABLE.mask() | CR0_USFCFG.mask());
    wide.gr0(SMR, 0, EXSMR_ID.place(0x8123) | EXSMR_MASK.place(0x4000));
    wide.gr0(S2CR, 0, way(TYPE_BYPASS));
    assertEquals(Translator.FAULT, wide.write(0x8123, 0x1000));
    wide.gr0(S2CR, 0, way(TYPE_BYPASS) | S2CR_EXIDVALID.mask());
    assertEquals(0x1000, wide.write(0x8123, 0x1000));
    assertEquals(0x1000, wide.write(0xc123, 0x1000));
    assertEquals(Translator.FAULT, wide.write(0x123, 0x1000));
  }

  @Test
  @DisplayName("what leaves is no wider than the output")
  void width() {
    V2Bench narrow = new V2Bench(bench.features.withOutputBits(40));
    assertEquals(0xff_ffff_ffffL, narrow.write(1, 0xff_ffff_ffffL));
    assertEquals(Translator.FAULT, narrow.write(1, 0x100_0000_0000L));
    assertEquals(GFSR_EF.mask(), narrow.gr0(GFSR, 0));
  }

  @Test
  @DisplayName(
      "registers of what is not there read as zero; wrong sizes and offsets are bus errors")
  void absent() {
    V2Bench small = new V2Bench(bench.features.withIdr0(IDR0_NUMSMRG, 4).withIdr1(IDR1_NUMCB, 2));
    small.gr0(SMR, 4, -1).gr0(S2CR, 4, -1).gr1(Gr1Registers.CBAR, 2, -1);
    small.bank(2, BankRegisters.TCR, -1);
    assertEquals(0, small.gr0(SMR, 4));
    assertEquals(0, small.gr0(S2CR, 4));
    assertEquals(0, small.gr1(Gr1Registers.CBAR, 2));
    assertEquals(0, small.bank(2, BankRegisters.TCR));
    assertEquals(0, small.gr0(TLBIVMID, 0), "write-only");
    assertEquals(BusOutcome.ERROR, small.model.read(0x21, 4).outcome());
    assertEquals(BusOutcome.ERROR, small.model.read(0x20, 8).outcome());
    assertEquals(BusOutcome.ERROR, small.model.read(0x20, 2).outcome());
    assertEquals(BusOutcome.ERROR, small.model.read(V2Bench.WINDOW, 4).outcome());
    assertEquals(BusOutcome.ERROR, small.model.write(-4, 0, 4, SystemBus.CPU));
    assertEquals(BusOutcome.OK, small.model.read(0x2000, 4).outcome(), "a gap");
    small.bank(1, BankRegisters.TTBR0, 0x1234_5678_9abc_def0L);
    long at = (small.features.pages() + 1) * 0x1000L + 0x24;
    assertEquals(0x1234_5678, small.model.read(at, 4).value());
  }

  @ParameterizedTest
  @DisplayName("9.1: pages and banks follow from the window")
  @CsvSource({
    "0x4000, 0x1000, 2, 2", "0x10000, 0x1000, 8, 8", "0x110000, 0x1000, 128, 128",
    "0x200000, 0x1000, 256, 128", "0x800000, 0x10000, 64, 64", "0x1000000, 0x10000, 128, 128"
  })
  void shape(String window, String page, int pages, int banks) {
    SmmuV2Features f = SmmuV2Features.mmu500(Long.decode(window));
    assertEquals(Long.decode(page), f.pageBytes());
    assertEquals(pages, f.pages());
    assertEquals(banks, f.banks());
  }
}
