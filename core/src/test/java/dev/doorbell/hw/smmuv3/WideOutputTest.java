package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.testkit.RawSmmu;
import dev.doorbell.vmsa.Descriptors;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IHI 0070 SMMU_IDR5.OAS 52 bits")
class WideOutputTest {
  private static final int OAS_52 = 6;
  private static final SmmuFeatures WIDE = SmmuFeatures.qemu10().withOutputBits(52);

  /// Attr2 Device-nGnRE, Attr1 Normal write-back, Attr0 Normal non-cacheable (DDI 0487, MAIR_EL1).
  private static final long MEMORY_TYPES = 0x04_ff_44L;

  private static final Iova AT = new Iova(0x800_0000);
  private static final Pa FAR = new Pa(0xa_1234_5678_0000L);

  private final DriverBench bench = new DriverBench();

  @Test
  @DisplayName("tables of 64 KiB reach it, those of 4 and 16 KiB end at 48 bits")
  void granules() {
    SmmuModel model = bench.model(WIDE);
    SmmuDriver smmu =
        SmmuDriver.open(
            "wide",
            DriverBench.window(model),
            bench.memory,
            bench.frames,
            SmmuSettings.of(bench.tags));
    AtomicInteger types = new AtomicInteger();
    bench.memory.onWrite((pa, was, is) -> types.addAndGet(is == MEMORY_TYPES ? 1 : 0));
    AddressSpace space = smmu.createAddressSpace(Granule.K64);
    assertEquals(1, types.get(), "CD.MAIR");
    space.map(AT, FAR, Granule.K64.bytes(), Protection.DOORBELL);
    assertEquals(Optional.of(FAR), space.translate(AT));
    smmu.attach(SmmuBench.SID, space);
    assertEquals(
        FAR.value(), model.translate(SmmuBench.SID, -1, AT.value(), Translator.WRITE), "in one");
    for (Granule g : new Granule[] {Granule.K4, Granule.K16}) {
      AddressSpace narrow = smmu.createAddressSpace(g);
      assertThrows(
          IllegalArgumentException.class,
          () -> narrow.map(AT, FAR, g.bytes(), Protection.DOORBELL));
    }
  }

  @Test
  @DisplayName("5.4: the context descriptor tells the width, and the memory types by number")
  void contextDescriptor() {
    VmsaGeometry g = VmsaGeometry.of(Granule.K64, Stage.STAGE1, 48, 52);
    long[] cd = StreamTableEntries.context(g, 0x4000_0000L, 1, Descriptors.MAIR);
    assertEquals(OAS_52, CdLayout.IPS.get(cd[0]));
    assertEquals(MEMORY_TYPES, cd[3]);
  }

  private static final long S = (long) SmmuBench.SID << 32;
  private static final long RNW = 1L << 35;
  private static final long S2 = 1L << 39;
  private static final long TT = 1L << 40;
  private static final long IN = 2L << 40;

  /// {@return a page's address as tables of 64 KiB hold it: bits 51:48 in 15:12}
  private static long folded(long pa) {
    return pa & 0xffff_ffff_0000L | pa >>> 48 << 12;
  }

  private static RawSmmu.Tables stage1(SmmuBench smmu, int ips) {
    RawSmmu.Tables tables = smmu.tables(SmmuBench.SID, 48, 16);
    RawSmmu.store(smmu.memory, SmmuBench.CDS, RawSmmu.cd(5, 48, 16, ips, tables.root()));
    smmu.ste(SmmuBench.SID, RawSmmu.steStage1(SmmuBench.CDS));
    smmu.command(RawSmmu.cfgiCd(SmmuBench.SID, 0, true));
    return tables;
  }

  @Test
  @DisplayName(
      "DDI 0487 D8.3.1: the model takes bits 51:48 from bits 15:12 of pages and blocks, of 4 TiB too")
  void model() {
    SmmuBench smmu = new SmmuBench(WIDE).start();
    RawSmmu.Tables tables = stage1(smmu, OAS_52);
    tables.map(0, folded(0x9_0000_0000_0000L), 3, RawSmmu.S1_RW);
    tables.map(1L << 29, folded(0xa_0000_2000_0000L), 2, RawSmmu.S1_RW);
    tables.map(1L << 42, folded(0xf_fc00_0000_0000L), 1, RawSmmu.S1_RW);
    for (int pass = 0; pass < 2; pass++) {
      assertEquals(0x9_0000_0000_1234L, smmu.write(0x1234));
      assertEquals(0xa_0000_3fff_fff8L, smmu.write((1L << 30) - 8));
      assertEquals(0xf_ffff_ffff_fff8L, smmu.write((1L << 43) - 8));
    }
    smmu.noEvent();
  }

  @Test
  @DisplayName(
      "5.4 IPS: bits above it end with F_ADDR_SIZE; without 52 bits they are RES0 and level 1 has no blocks")
  void narrower() {
    SmmuBench smmu = new SmmuBench(WIDE).start();
    RawSmmu.Tables tables = stage1(smmu, OAS_52 - 1);
    tables.map(0, folded(0x9_0000_0000_0000L), 3, RawSmmu.S1_RW);
    tables.map(1L << 42, 0, 1, RawSmmu.S1_RW);
    assertEquals(Translator.FAULT, smmu.read(0x1234));
    smmu.event(0x11 | S, RNW | IN, 0x1234, 0);
    assertEquals(8, smmu.read((1L << 42) + 8));
    SmmuBench narrow = new SmmuBench(SmmuFeatures.qemu10().withOutputBits(48)).start();
    RawSmmu.Tables old = stage1(narrow, OAS_52);
    old.map(0, folded(0x9_0000_0000_0000L), 3, RawSmmu.S1_RW);
    old.map(1L << 42, 0, 1, RawSmmu.S1_RW);
    assertEquals(0x1234, narrow.read(0x1234));
    assertEquals(Translator.FAULT, narrow.read(1L << 42));
    narrow.event(0x10 | S, RNW | IN, 1L << 42, 0);
  }

  @Test
  @DisplayName("5.4 TTB0: above 48 bits only with 64 KiB, else C_BAD_CD")
  void tableTooFar() {
    SmmuBench smmu = new SmmuBench(WIDE).start();
    for (int granule : new int[] {12, 14, 16}) {
      long[] cd = RawSmmu.cd(5, 39, granule, OAS_52, 1L << 48);
      RawSmmu.store(smmu.memory, SmmuBench.CDS, cd);
      smmu.ste(SmmuBench.SID, RawSmmu.steStage1(SmmuBench.CDS));
      smmu.command(RawSmmu.cfgiCd(SmmuBench.SID, 0, true));
      assertEquals(Translator.FAULT, smmu.read(0));
      if (granule == 16) {
        smmu.event(0x0b | S, RNW | TT, 0, 1L << 48);
      } else {
        smmu.event(0x0a | S, 0, 0, 0);
      }
    }
  }

  @Test
  @DisplayName("5.2 S2T0SZ: stage 2 of 64 KiB takes IPAs of 52 bits, others of 48 at most")
  void stage2() {
    SmmuBench smmu = new SmmuBench(WIDE).start();
    long root = SmmuBench.TABLES + 0x80_0000;
    RawSmmu.Tables tables = new RawSmmu.Tables(smmu.memory, 52, 16, 1, root, root + 0x20_0000);
    long last = (1L << 52) - 8;
    tables.map(last, folded(0x9_0000_0000_0000L), 3, RawSmmu.S2_RW);
    smmu.ste(SmmuBench.SID, RawSmmu.steStage2(7, 52, 2, 16, OAS_52, root));
    assertEquals(0x9_0000_0000_fff8L, smmu.write(last));
    assertEquals(Translator.FAULT, smmu.read(8));
    smmu.event(0x10 | S, S2 | IN | RNW, 8, 0);
    smmu.ste(SmmuBench.SID, RawSmmu.steStage2(7, 52, 2, 12, OAS_52, root));
    assertEquals(Translator.FAULT, smmu.read(8));
    smmu.event(0x04 | S, 0, 0, 0);
  }
}
