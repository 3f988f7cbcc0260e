package dev.doorbell.hw.smmuv2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.Protection;
import dev.doorbell.vmsa.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("SMMUv2 driver on the model")
class SmmuV2DriverTest {
  private static final int SID = 0x108;
  private static final long DOORBELL = 0x0809_0000L;

  private static SmmuV2Features features(String kind) {
    SmmuV2Features usual = SmmuV2Features.mmu500(V2Bench.WINDOW);
    return switch (kind) {
      case "mmu500" -> usual;
      case "16k" -> usual.withIdr2(Gr0Registers.IDR2_PTFSV8_16KB, 1);
      case "exids" -> usual.withIdr0(Gr0Registers.IDR0_EXIDS, 1);
      case "indexed" ->
          usual.withIdr0(Gr0Registers.IDR0_SMS, 0).withIdr0(Gr0Registers.IDR0_NUMSIDB, 15);
      case "mmu401" -> SmmuV2Features.version1(true, false, V2Bench.WINDOW);
      case "mmu400" -> SmmuV2Features.version1(false, true, V2Bench.WINDOW);
      default -> throw new IllegalArgumentException(kind);
    };
  }

  @ParameterizedTest
  @DisplayName(
      "A doorbell is reached through each granule, stage, format and stream mapping, and no longer once it is unmapped")
  @CsvSource({
    "mmu500, 12, STAGE1, 0x108",
    "mmu500, 16, STAGE1, 0x108",
    "mmu500, 12, STAGE2, 0x7fff",
    "mmu500, 16, STAGE2, 0",
    "16k,    14, STAGE1, 0x108",
    "16k,    14, STAGE2, 0x108",
    "exids,  12, STAGE1, 0xffff",
    "exids,  12, STAGE2, 0",
    "indexed, 12, STAGE1, 0x7f",
    "mmu401, 12, STAGE1, 0x108",
    "mmu400, 12, STAGE2, 0x108",
  })
  void doorbell(String kind, int shift, Stage stage, String id) {
    int sid = Integer.decode(id);
    V2Bench bench = new V2Bench(features(kind));
    try (SmmuV2Driver smmu = bench.open(SmmuV2Settings.USUAL.with(stage))) {
      Granule granule = new Granule(shift);
      AddressSpace space = smmu.createAddressSpace(granule);
      space.map(new Iova(0x800_0000), new Pa(DOORBELL), granule.bytes(), Protection.DOORBELL);
      assertEquals(Translator.FAULT, bench.write(sid, 0x800_0040));
      smmu.attach(sid, space);
      assertEquals(DOORBELL + 0x40, bench.write(sid, 0x800_0040));
      long readable = stage == Stage.STAGE1 ? DOORBELL : Translator.FAULT;
      assertEquals(readable, bench.read(sid, 0x800_0000), "write-only where the format can say so");
      assertEquals(Translator.FAULT, bench.write(sid ^ 1, 0x800_0040), "another stream");
      assertEquals(Optional.of(new Pa(DOORBELL + 0x40)), space.translate(new Iova(0x800_0040)));
      assertEquals(granule.bytes(), space.unmap(new Iova(0x800_0000), granule.bytes()));
      assertEquals(Translator.FAULT, bench.write(sid, 0x800_0040));
      assertThrows(IllegalStateException.class, space::close);
      smmu.block(sid);
      space.close();
      assertThrows(IllegalArgumentException.class, () -> smmu.attach(sid, space));
    }
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("Capabilities come from the identification registers")
  void capabilities() {
    assertEquals(
        new IommuCapabilities("SMMUv2", List.of(Granule.K4, Granule.K64), 48, 48, 15, true, false),
        new V2Bench().open().capabilities());
    assertEquals(
        new IommuCapabilities("SMMUv1", List.of(Granule.K4), 32, 40, 15, true, false),
        new V2Bench(features("mmu401")).open().capabilities());
    assertEquals(
        new IommuCapabilities("SMMUv1", List.of(Granule.K4), 40, 40, 15, true, true),
        new V2Bench(features("mmu400")).open().capabilities());
  }

  @Test
  @DisplayName("A large mapping is taken away whole; 64 granules and more go with the ASID or VMID")
  void large() {
    for (Stage stage : Stage.values()) {
      V2Bench bench = new V2Bench();
      SmmuV2Driver smmu = bench.open(SmmuV2Settings.USUAL.with(stage));
      AddressSpace space = smmu.createAddressSpace(Granule.K4);
      space.map(new Iova(0x1000), new Pa(0x5000_1000), 0x40_0000, Protection.READ_WRITE);
      smmu.attach(SID, space);
      for (long at = 0x1000; at < 0x40_1000; at += 0x1000) {
        assertEquals(0x5000_0000L + at, bench.write(SID, at));
      }
      assertEquals(0x40_0000, space.unmap(new Iova(0x1000), 0x40_0000));
      for (long at = 0x1000; at < 0x40_1000; at += 0x1000) {
        assertEquals(Translator.FAULT, bench.write(SID, at));
      }
    }
  }

  @Test
  @DisplayName("One address space on two SMMUs: an unmap reaches the caches of both")
  void twoSmmus() {
    V2Bench one = new V2Bench();
    SmmuV2Model two = new SmmuV2Model(one.features, one.memory);
    SmmuV2Driver first = one.open();
    SmmuV2Driver second =
        SmmuV2Driver.open(
            "second",
            new dev.doorbell.bus.RegisterBus() {
              @Override
              public long read(long offset, int bytes) {
                return two.read(offset, bytes).value();
              }

              @Override
              public void write(long offset, long value, int bytes) {
                two.write(offset, value, bytes, -1);
              }
            },
            one.memory,
            one.frames,
            SmmuV2Settings.USUAL);
    AddressSpace space = first.createAddressSpace(Granule.K4);
    AddressSpace before = second.createAddressSpace(Granule.K4);
    second.attach(9, before);
    first.attach(1, space);
    second.attach(2, space);
    space.map(new Iova(0x1000), new Pa(0x5000), 0x2000, Protection.READ_WRITE);
    assertEquals(0x5008, one.write(1, 0x1008));
    assertEquals(0x5008, two.translate(2, -1, 0x1008, Translator.WRITE));
    space.unmap(new Iova(0x1000), 0x1000);
    assertEquals(Translator.FAULT, one.write(1, 0x1008));
    assertEquals(Translator.FAULT, two.translate(2, -1, 0x1008, Translator.WRITE));
    assertEquals(0x6000, two.translate(2, -1, 0x2000, Translator.READ));
    second.block(2);
    space.unmap(new Iova(0x2000), 0x1000);
    second.attach(2, space);
    assertEquals(
        Translator.FAULT,
        two.translate(2, -1, 0x2000, Translator.READ),
        "nothing from before the detach is left");
    SmmuV2Driver stranger = new V2Bench(features("mmu401")).open();
    assertThrows(IllegalArgumentException.class, () -> stranger.attach(1, space));
  }

  @Test
  @DisplayName(
      "Streams move between abort, bypass and address spaces; who else uses a space does not notice")
  void moves() {
    V2Bench bench = new V2Bench();
    SmmuV2Driver smmu = bench.open();
    AddressSpace a = smmu.createAddressSpace(Granule.K4);
    AddressSpace b = smmu.createAddressSpace(Granule.K64);
    a.map(new Iova(0x10000), new Pa(0xa0000), 0x10000, Protection.READ_WRITE);
    b.map(new Iova(0x10000), new Pa(0xb0000), 0x10000, Protection.READ_WRITE);
    smmu.attach(7, a);
    for (int i = 0; i < 3; i++) {
      smmu.bypass(SID);
      assertEquals(0x10004, bench.write(SID, 0x10004));
      smmu.attach(SID, a);
      assertEquals(0xa0004, bench.write(SID, 0x10004));
      assertTrue(smmu.attachesHitlessly(SID, b));
      smmu.attach(SID, b);
      assertEquals(0xb0004, bench.write(SID, 0x10004));
      smmu.block(SID);
      assertEquals(Translator.FAULT, bench.write(SID, 0x10004));
      assertEquals(0xa0004, bench.write(7, 0x10004));
    }
  }

  @Test
  @DisplayName("StreamIDs that differ in masked bits are one stream")
  void mask() {
    V2Bench bench = new V2Bench();
    SmmuV2Driver smmu = bench.open(SmmuV2Settings.USUAL.withStreamMask(0x7c00));
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    space.map(new Iova(0), new Pa(0x9000), 0x1000, Protection.READ_WRITE);
    smmu.attach(0x17, space);
    assertEquals(0x9000, bench.write(0x17, 0));
    assertEquals(0x9000, bench.write(0x7c17, 0));
    assertEquals(Translator.FAULT, bench.write(0x18, 0));
    smmu.attach(0x417, space);
    smmu.block(0x2417);
    assertEquals(Translator.FAULT, bench.write(0x17, 0));
  }

  @Test
  @DisplayName("IHI 0062 3: a fault tells cause, stream, address, direction and level")
  void faults() {
    V2Bench bench = new V2Bench();
    SmmuV2Driver smmu = bench.open();
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    smmu.attach(SID, space);
    assertEquals(Translator.FAULT, bench.write(SID, 0x1234_5678));
    assertEquals(Translator.FAULT, bench.read(0xf00, 0x42));
    List<SmmuV2Fault> drained = smmu.drainFaults();
    assertEquals(
        List.of(
            new SmmuV2Fault.Global(List.of("USF"), 0xf00, new Iova(0x42), false),
            new SmmuV2Fault.Context(List.of("TF"), 0, SID, new Iova(0x1234_5678), true, 0)),
        drained);
    assertEquals(List.of(), smmu.drainFaults());
    bench.write(SID, 0x1000);
    bench.write(SID, 0x2000);
    var context = assertInstanceOf(SmmuV2Fault.Context.class, smmu.drainFaults().getFirst());
    assertEquals(List.of("TF", "MULTI"), context.causes());
    assertEquals(new Iova(0x1000), context.input(), "the first one is kept");
  }

  @Test
  @DisplayName("Without a free stream match register nothing changes, and both figures are told")
  void matchesExhausted() {
    V2Bench bench = new V2Bench(features("mmu500").withIdr0(Gr0Registers.IDR0_NUMSMRG, 2));
    SmmuV2Driver smmu = bench.open();
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    smmu.attach(1, space);
    smmu.attach(2, space);
    List<Long> before = bench.state();
    StreamMatchesExhausted refused =
        assertThrows(StreamMatchesExhausted.class, () -> smmu.attach(3, space));
    assertEquals(
        "StreamID 0x3 needs a stream match register of smmuv2@0xe0800000, and all 2 have other streams",
        refused.getMessage());
    assertEquals(
        Optional.of(new Figure(0, "stream match registers")), refused.refusal().available());
    AddressSpace more = smmu.createAddressSpace(Granule.K4);
    assertThrows(StreamMatchesExhausted.class, () -> smmu.attach(3, more));
    assertThrows(StreamMatchesExhausted.class, () -> smmu.bypass(3));
    assertEquals(before, bench.state());
    more.close();
    smmu.block(1);
    smmu.attach(3, space);
  }

  @Test
  @DisplayName("Without a free context bank nothing changes, and both figures are told")
  void banksExhausted() {
    V2Bench bench =
        new V2Bench(
            features("mmu500")
                .withIdr1(Gr0Registers.IDR1_NUMCB, 3)
                .withIdr1(Gr0Registers.IDR1_NUMS2CB, 1));
    SmmuV2Driver smmu = bench.open();
    List<AddressSpace> spaces = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      spaces.add(smmu.createAddressSpace(Granule.K4));
    }
    smmu.attach(1, spaces.get(0));
    smmu.attach(2, spaces.get(1));
    List<Long> before = bench.state();
    ContextBanksExhausted refused =
        assertThrows(ContextBanksExhausted.class, () -> smmu.attach(3, spaces.get(2)));
    assertTrue(refused.getMessage().contains("all 2 that could serve"), refused.getMessage());
    assertThrows(ContextBanksExhausted.class, () -> smmu.attach(2, spaces.get(2)));
    assertEquals(before, bench.state());
    smmu.attach(3, spaces.get(1));
    smmu.block(1);
    smmu.attach(3, spaces.get(2));
  }

  @Test
  @DisplayName("A StreamID that the hardware cannot tell is refused")
  void tooWide() {
    SmmuV2Driver smmu = new V2Bench().open();
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    assertThrows(SmmuV2Unsupported.class, () -> smmu.attach(0x8000, space));
    SmmuV2Driver indexed = new V2Bench(features("indexed")).open();
    AddressSpace own = indexed.createAddressSpace(Granule.K4);
    assertThrows(SmmuV2Unsupported.class, () -> indexed.attach(0x80, own));
  }

  @Test
  @DisplayName(
      "Whichever register write fails, attach, move, bypass and block leave registers and translations as they were")
  void undone() {
    for (int step = 0; step < 4; step++) {
      for (int failing = 0; ; failing++) {
        V2Bench bench = new V2Bench();
        SmmuV2Driver smmu = bench.open();
        AddressSpace a = smmu.createAddressSpace(Granule.K4);
        AddressSpace b = smmu.createAddressSpace(Granule.K4);
        a.map(new Iova(0x1000), new Pa(0xa000), 0x1000, Protection.READ_WRITE);
        b.map(new Iova(0x1000), new Pa(0xb000), 0x1000, Protection.READ_WRITE);
        boolean live = step > 0;
        if (live) {
          smmu.attach(SID, a);
        }
        List<Long> before = bench.state();
        int fail = failing;
        bench.failWrites(n -> n == fail);
        boolean failed = false;
        try {
          switch (step) {
            case 0 -> smmu.attach(SID, a);
            case 1 -> smmu.attach(SID, b);
            case 2 -> smmu.bypass(SID);
            default -> smmu.block(SID);
          }
        } catch (BusErrorException expected) {
          failed = true;
        }
        int writes = bench.writes();
        bench.failWrites(n -> false);
        if (!failed) {
          assertTrue(writes <= failing, "the failure was not told");
          break;
        }
        String where = "step %d, write %d".formatted(step, failing);
        assertEquals(before, bench.state(), where);
        assertEquals(live ? 0xa000 : Translator.FAULT, bench.write(SID, 0x1000), where);
        smmu.attach(SID, b);
        assertEquals(0xb000, bench.write(SID, 0x1000), where);
        smmu.block(SID);
        a.close();
        b.close();
        assertEquals(0, bench.frames.bytesInUse(), where);
      }
    }
  }

  @Test
  @DisplayName("A failing invalidation takes an unmap back, and the translation stays")
  void unmapUndone() {
    V2Bench bench = new V2Bench();
    SmmuV2Driver smmu = bench.open();
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    space.map(new Iova(0x1000), new Pa(0xa000), 0x1000, Protection.READ_WRITE);
    smmu.attach(SID, space);
    bench.failWrites(n -> n == 0);
    assertThrows(BusErrorException.class, () -> space.unmap(new Iova(0x1000), 0x1000));
    assertEquals(0xa000, bench.write(SID, 0x1000));
    assertEquals(Optional.of(new Pa(0xa000)), space.translate(new Iova(0x1000)));
  }

  @Test
  @DisplayName("Without memory no address space is made, and nothing is kept")
  void outOfFrames() {
    V2Bench bench = new V2Bench();
    SmmuV2Driver smmu = bench.open();
    bench.frames.limit(100);
    assertThrows(OutOfFramesException.class, () -> smmu.createAddressSpace(Granule.K4));
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "Invalidations that never end are told with what was waited for; hardware that lacks a stage is refused")
  void refusals() {
    V2Bench bench = new V2Bench();
    dev.doorbell.bus.RegisterBus stuck =
        new dev.doorbell.bus.RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            return offset == Gr0Registers.TLBGSTATUS.offset()
                ? 1
                : bench.window().read(offset, bytes);
          }

          @Override
          public void write(long offset, long value, int bytes) {
            bench.window().write(offset, value, bytes);
          }
        };
    SmmuV2Settings few = new SmmuV2Settings(Optional.empty(), 0, 10);
    SmmuV2Timeout timeout =
        assertThrows(
            SmmuV2Timeout.class,
            () -> SmmuV2Driver.open("stuck", stuck, bench.memory, bench.frames, few));
    assertEquals(
        "stuck: SMMU_sTLBGSTATUS.GSACTIVE = 0 did not come about within 10 reads; the last one was 0x1",
        timeout.getMessage());
    V2Bench first = new V2Bench(features("mmu401"));
    assertThrows(
        SmmuV2Unsupported.class, () -> first.open(SmmuV2Settings.USUAL.with(Stage.STAGE2)));
  }
}
