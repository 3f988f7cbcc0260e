package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.BankRegisters.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "IHI 0062 2.3, 4.5, 12, 13: banks, stages, and what stays cached until it is invalidated")
class SmmuV2TranslationTest {
  private static final int SID = 0x21;
  private static final long ROOT1 = 0x4100_0000L;
  private static final long ROOT2 = 0x4200_0000L;
  private static final int ASID = 9;
  private static final int VMID = 4;

  private final V2Bench bench = new V2Bench();
  private RawSmmu.Tables tables;

  /// Bank 1: stage 1, 39 bits of input, 4 KiB.
  @BeforeEach
  void stage1() {
    bench.gr0(Gr0Registers.S2CR, 0, Gr0Registers.S2CR_CBNDX.place(1));
    bench.gr0(
        Gr0Registers.SMR, 0, Gr0Registers.SMR_VALID.place(1) | Gr0Registers.SMR_ID.place(SID));
    type(Gr1Registers.TYPE_S1_S2_BYPASS, 0);
    bench.gr1(Gr1Registers.CBA2R, 1, 1);
    bench.bank(1, TCR, TCR_T0SZ.place(64 - 39) | TCR_EPD1.place(1));
    bench.bank(1, TCR2, TCR2_PASIZE.place(5) | TCR2_AS.place(1) | TCR2_SEP.place(7));
    bench.bank(1, TTBR0, ROOT1 | TTBR_ASID.place(ASID));
    bench.bank(1, SCTLR, SCTLR_M.place(1));
    bench.gr0(Gr0Registers.CR0, 0, Gr0Registers.CR0_USFCFG.mask());
    tables = new RawSmmu.Tables(bench.quads(), 39, 12, 1, ROOT1, ROOT1 + 0x1_0000);
  }

  private void type(int type, int other) {
    bench.gr1(
        Gr1Registers.CBAR,
        1,
        Gr1Registers.CBAR_TYPE.place(type)
            | Gr1Registers.CBAR_VMID.place(VMID)
            | Gr1Registers.CBAR_CBNDX.place(other));
  }

  private long cause() {
    long fsr = bench.bank(1, FSR);
    bench.bank(1, FSR, -1);
    return fsr & ~FSR_FORMAT.mask();
  }

  @Test
  @DisplayName("AP, AF and table permissions decide; the fault tells which")
  void permissions() {
    tables.map(0x1000, 0x5000, 3, RawSmmu.S1_RW);
    tables.map(0x2000, 0x6000, 3, RawSmmu.S1_RO);
    tables.map(0x3000, 0x7000, 3, RawSmmu.S1_PRIVILEGED);
    tables.map(0x4000, 0x8000, 3, RawSmmu.S1_RW & ~RawSmmu.AF);
    assertEquals(0x5abc, bench.write(SID, 0x1abc));
    assertEquals(0x6abc, bench.read(SID, 0x2abc));
    assertEquals(Translator.FAULT, bench.write(SID, 0x2abc));
    assertEquals(3, FSYNR0_PLVL.get(bench.bank(1, FSYNR0)));
    assertEquals(0x2abc, bench.bank(1, FAR));
    assertEquals(SID, bench.gr1(Gr1Registers.CBFRSYNRA, 1));
    assertEquals(FSR_PF.mask(), cause());
    assertEquals(Translator.FAULT, bench.write(SID, 0x3abc));
    assertEquals(FSR_PF.mask(), cause());
    assertEquals(Translator.FAULT, bench.write(SID, 0x4abc));
    assertEquals(FSR_AFF.mask(), cause());
    bench.bank(1, SCTLR, SCTLR_M.mask() | SCTLR_AFFD.mask());
    assertEquals(0x8abc, bench.write(SID, 0x4abc));
    bench.gr0(
        Gr0Registers.S2CR,
        0,
        Gr0Registers.S2CR_CBNDX.place(1) | Gr0Registers.S2CR_PRIVCFG.place(3));
    assertEquals(0x7abc, bench.write(SID, 0x3abc), "PRIVCFG=3");
  }

  @Test
  @DisplayName(
      "misses are translation faults with their level; what memory does not answer is an external one")
  void misses() {
    tables.map(0x1000, 0x5000, 3, RawSmmu.S1_RW);
    assertEquals(Translator.FAULT, bench.write(SID, 0x2000));
    assertEquals(3, FSYNR0_PLVL.get(bench.bank(1, FSYNR0)));
    assertEquals(FSR_TF.mask(), cause());
    assertEquals(Translator.FAULT, bench.write(SID, 1L << 39));
    assertEquals(FSR_TF.mask(), cause());
    assertEquals(Translator.FAULT, bench.write(SID, 1L << 48), "the upper half is off");
    assertEquals(FSR_TF.mask(), cause());
    bench.bank(1, TTBR0, 0x1000 | TTBR_ASID.place(ASID + 1));
    assertEquals(Translator.FAULT, bench.read(SID, 0x1000));
    assertTrue(FSYNR0_PTWF.isSet(bench.bank(1, FSYNR0)));
    assertEquals(FSR_EF.mask(), cause());
    bench.bank(1, SCTLR, 0);
    assertEquals(0x1000, bench.read(SID, 0x1000), "M=0: addresses pass");
  }

  @Test
  @DisplayName(
      "M=0: an address of all ones is too wide for the output, and no fault of the bank; the fault before it is not told again")
  void allOnes() {
    assertEquals(Translator.FAULT, bench.write(SID, 0x2000));
    assertEquals(FSR_TF.mask(), cause());
    bench.bank(1, SCTLR, 0);
    assertEquals(Translator.FAULT, bench.write(SID, -1L));
    assertEquals(0, cause());
    assertEquals(Gr0Registers.GFSR_EF.mask(), bench.gr0(Gr0Registers.GFSR, 0));
  }

  @Test
  @DisplayName("TTBR1 serves addresses whose upstream sign bit is set")
  void upper() {
    RawSmmu.Tables high =
        new RawSmmu.Tables(bench.quads(), 39, 12, 1, ROOT1 + 0x10_0000, ROOT1 + 0x11_0000);
    high.map(0x7f_ffff_f000L, 0x9000, 3, RawSmmu.S1_RW);
    bench.bank(1, TCR, TCR_T0SZ.place(64 - 39) | TCR_T1SZ.place(64 - 39) | TCR_TG1.place(2));
    bench.bank(1, TTBR1, ROOT1 + 0x10_0000);
    assertEquals(0x9008, bench.write(SID, 0x1_ffff_ffff_f008L));
  }

  @Test
  @DisplayName(
      "a leaf stays until TLBIVA, TLBIVAA, TLBIASID, TLBIALL, TLBIVMID or TLBIALLNSNH names it")
  void cached() {
    Runnable[] operations = {
      () -> bench.bank(1, TLBIVA, 1L | TLBIVA_ASID.place(ASID)),
      () -> bench.bank(1, TLBIVAL, 1L | TLBIVA_ASID.place(ASID)),
      () -> bench.bank(1, TLBIVAA, 1L),
      () -> bench.bank(1, TLBIVAAL, 1L),
      () -> bench.bank(1, TLBIASID, ASID),
      () -> bench.bank(1, TLBIALL, 0),
      () -> bench.gr0(Gr0Registers.TLBIVMID, 0, VMID),
      () -> bench.gr0(Gr0Registers.TLBIVMIDS1, 0, VMID),
      () -> bench.gr0(Gr0Registers.TLBIALLNSNH, 0, 0),
    };
    Runnable[] others = {
      () -> bench.bank(1, TLBIVA, 2L | TLBIVA_ASID.place(ASID)),
      () -> bench.bank(1, TLBIVA, 1L | TLBIVA_ASID.place(ASID + 1)),
      () -> bench.bank(1, TLBIASID, ASID + 1),
      () -> bench.bank(1, TLBIIPAS2, 1),
      () -> bench.bank(2, TLBIALL, 0),
      () -> bench.gr0(Gr0Registers.TLBIVMID, 0, VMID + 1),
      () -> bench.gr0(Gr0Registers.TLBIALLH, 0, 0),
      () -> bench.bank(1, TLBSYNC, 0),
    };
    for (Runnable operation : operations) {
      tables.map(0x1000, 0x5000, 3, RawSmmu.S1_RW);
      assertEquals(0x5000, bench.write(SID, 0x1000));
      tables.unmap(0x1000, 3);
      for (Runnable other : others) {
        other.run();
        assertEquals(0x5000, bench.write(SID, 0x1000));
      }
      operation.run();
      assertEquals(Translator.FAULT, bench.write(SID, 0x1000));
    }
  }

  @Test
  @DisplayName(
      "tags belong to ASID and VMID, not to the bank: another table under the same numbers meets old translations")
  void tags() {
    tables.map(0x1000, 0x5000, 3, RawSmmu.S1_RW);
    assertEquals(0x5000, bench.write(SID, 0x1000));
    bench.bank(1, TTBR0, ROOT2 | TTBR_ASID.place(ASID));
    assertEquals(0x5000, bench.write(SID, 0x1000));
    bench.bank(1, TTBR0, ROOT2 | TTBR_ASID.place(ASID + 1));
    assertEquals(Translator.FAULT, bench.write(SID, 0x1000));
    bench.bank(1, TTBR0, ROOT2 | TTBR_ASID.place(ASID));
    bench.bank(1, TLBIASID, ASID);
    assertEquals(Translator.FAULT, bench.write(SID, 0x1000));
  }

  @Test
  @DisplayName("a table pointer stays when only the last level is invalidated")
  void tablePointers() {
    tables.map(0x1000, 0x5000, 3, RawSmmu.S1_RW);
    assertEquals(0x5000, bench.write(SID, 0x1000));
    long other = ROOT2;
    bench.memory.write64(other + 8, 0x7000 | RawSmmu.S1_RW | RawSmmu.PAGE);
    bench.memory.write64(tables.slot(0x1000, 2), other | RawSmmu.TABLE);
    bench.bank(1, TLBIVAL, 1L | TLBIVA_ASID.place(ASID));
    assertEquals(0x5000, bench.write(SID, 0x1000));
    bench.bank(1, TLBIVA, 1L | TLBIVA_ASID.place(ASID));
    assertEquals(0x7000, bench.write(SID, 0x1000));
  }

  private RawSmmu.Tables stage2(int bank) {
    bench.gr1(Gr1Registers.CBAR, bank, Gr1Registers.CBAR_VMID.place(VMID));
    bench.gr1(Gr1Registers.CBA2R, bank, 1);
    bench.bank(bank, TCR, VTCR_T0SZ.place(64 - 40) | VTCR_SL0.place(1) | VTCR_PASIZE.place(5));
    bench.bank(bank, TTBR0, ROOT2);
    bench.bank(bank, SCTLR, SCTLR_M.place(1));
    return new RawSmmu.Tables(bench.quads(), 40, 12, 1, ROOT2, ROOT2 + 0x1_0000);
  }

  @Test
  @DisplayName("stage 2 alone: S2AP decides, TLBIIPAS2 invalidates")
  void stage2Alone() {
    bench.gr0(Gr0Registers.S2CR, 0, Gr0Registers.S2CR_CBNDX.place(2));
    RawSmmu.Tables second = stage2(2);
    second.map(0x1000, 0x5000, 3, RawSmmu.S2_RW);
    second.map(0x80_0000_3000L, 0x6000, 3, RawSmmu.S2_WO);
    assertEquals(0x5010, bench.write(SID, 0x1010));
    assertEquals(0x6010, bench.write(SID, 0x80_0000_3010L));
    assertEquals(Translator.FAULT, bench.read(SID, 0x80_0000_3010L));
    assertTrue(FSR_PF.isSet(bench.bank(2, FSR)));
    second.unmap(0x1000, 3);
    bench.bank(2, TLBIIPAS2, 2);
    assertEquals(0x5010, bench.write(SID, 0x1010));
    bench.bank(2, TLBIIPAS2L, 1);
    assertEquals(Translator.FAULT, bench.write(SID, 0x1010));
  }

  @Test
  @DisplayName(
      "nested: stage 1's tables and outputs pass stage 2, whose fault is in its own bank and names stage 1's")
  void nested() {
    RawSmmu.Tables second = stage2(2);
    type(Gr1Registers.TYPE_S1_S2, 2);
    for (long at = 0; at < 0x2_0000; at += 0x1000) {
      second.map(ROOT1 + at, ROOT1 + at, 3, RawSmmu.S2_RW);
    }
    tables.map(0x1000, 0x8000_0000L, 3, RawSmmu.S1_RW);
    assertEquals(Translator.FAULT, bench.write(SID, 0x1008));
    assertEquals(0, bench.bank(1, FSR));
    assertTrue(FSR_TF.isSet(bench.bank(2, FSR)));
    assertEquals(0x8000_0008L, bench.bank(2, IPAFAR));
    assertEquals(0x1008, bench.bank(2, FAR));
    assertEquals(1, FSYNR0_S1CBNDX.get(bench.bank(2, FSYNR0)));
    assertEquals(FSYNR0_NESTED.mask(), nestedWalk());
    second.map(0x8000_0000L, 0x7000, 3, RawSmmu.S2_RW);
    assertEquals(0x7008, bench.write(SID, 0x1008));
    second.unmap(0x8000_0000L, 3);
    bench.bank(2, TLBIIPAS2, 0x8_0000);
    assertEquals(0x7008, bench.write(SID, 0x1008), "the leaf of both stages is stage 1's");
    bench.bank(1, TLBIALL, 0);
    assertEquals(Translator.FAULT, bench.write(SID, 0x1008));
    second.map(0x8000_0000L, 0x7000, 3, RawSmmu.S2_RW);
    assertEquals(0x7008, bench.write(SID, 0x1008));
    bench.gr0(Gr0Registers.TLBIVMID, 0, VMID);
    second.unmap(ROOT1, 3);
    assertEquals(Translator.FAULT, bench.write(SID, 0x1008), "the walk itself passes stage 2");
    bench.bank(2, FSR, FSR_TF.mask() | FSR_MULTI.mask());
    assertEquals(Translator.FAULT, bench.write(SID, 0x1008));
    assertEquals(FSYNR0_NESTED.mask() | FSYNR0_S1PTWF.mask(), nestedWalk());
  }

  private long nestedWalk() {
    return bench.bank(2, FSYNR0)
        & (FSYNR0_NESTED.mask() | FSYNR0_S1PTWF.mask() | FSYNR0_PTWF.mask());
  }

  @Test
  @DisplayName("AArch32 long descriptors: 32 bits of input, TLBIVA of 32 bits")
  void aarch32() {
    RawSmmu.Tables own = new RawSmmu.Tables(bench.quads(), 32, 12, 1, ROOT2, ROOT2 + 0x1_0000);
    own.map(0xffff_f000L, 0x9000, 3, RawSmmu.S1_RW);
    bench.gr1(Gr1Registers.CBA2R, 1, 0);
    bench.bank(1, TCR, TCR32_EAE.mask() | TCR32_EPD1.mask());
    bench.bank(1, TTBR0, ROOT2 | TTBR32_ASID.place(ASID));
    assertEquals(0x9004, bench.write(SID, 0xffff_f004L));
    assertEquals(Translator.FAULT, bench.write(SID, 0x1_0000_0000L));
    assertEquals(1, FSR_FORMAT.get(bench.bank(1, FSR)));
    own.unmap(0xffff_f000L, 3);
    assertEquals(0x9004, bench.write(SID, 0xffff_f004L));
    long at = (bench.features.pages() + 1) * 0x1000L + TLBIVA.offset();
    bench.model.write(at, 0xffff_f000L | ASID, 4, -1);
    assertEquals(Translator.FAULT, bench.write(SID, 0xffff_f004L));
  }

  @Test
  @DisplayName("translating allocates nothing, hit or miss")
  void allocatesNothing() {
    tables.map(0x1000, 0x5000, 3, RawSmmu.S1_RW);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    long sum = 0;
    for (int run = 0; run < 6; run++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 4000; i++) {
        bench.model.begin();
        sum += bench.write(SID, 0x1000 + i % 64);
        bench.model.end();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(sum > 0);
    assertEquals(0, least);
  }
}
