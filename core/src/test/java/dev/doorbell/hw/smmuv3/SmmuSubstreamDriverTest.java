package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.vmsa.Stage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070 3.3.2: substreams, as the driver gives them address spaces of their own")
class SmmuSubstreamDriverTest {
  private static final int SID = 0x108;
  private static final long AT = 0x10_0000;

  private final DriverBench bench = new DriverBench();

  private static SmmuFeatures features(int bits, int twoLevel) {
    return SmmuFeatures.qemu10()
        .withIdr1(SmmuRegisters.IDR1_SSIDSIZE, bits)
        .withIdr0(SmmuRegisters.IDR0_CD2L, twoLevel);
  }

  private static AddressSpace space(SmmuDriver smmu, long pa) {
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    space.map(new Iova(AT), new Pa(pa), 0x1000, Protection.READ_WRITE);
    return space;
  }

  private static long write(SmmuModel model, int substream) {
    return model.translate(SID, substream, AT, Translator.WRITE);
  }

  @ParameterizedTest(name = "{0} bits of SubstreamID, two levels {1}")
  @CsvSource({"1, 1, 1", "6, 1, 63", "7, 1, 64", "8, 0, 200", "20, 1, 1000000", "12, 0, 1000"})
  @DisplayName(
      "each substream reaches its own, others and accesses without one what they did, in each shape of table")
  void ownAddressSpaces(int bits, int twoLevel, int far) {
    SmmuModel model = bench.model(features(bits, twoLevel));
    try (SmmuDriver smmu = bench.open(model)) {
      AddressSpace whole = space(smmu, 0xa000);
      AddressSpace one = space(smmu, 0xb000);
      smmu.attach(SID, whole);
      smmu.attach(SID, far, one);
      assertEquals(0xa000, write(model, -1));
      assertEquals(0xb000, write(model, far));
      assertEquals(Translator.FAULT, write(model, far - 1), "one that has nothing");
      smmu.attach(SID, far, whole);
      assertEquals(0xa000, write(model, far), "led elsewhere");
      one.close();
      smmu.detach(SID, far);
      assertEquals(Translator.FAULT, write(model, far));
      assertEquals(0xa000, write(model, -1));
      smmu.detach(SID, far);
      smmu.block(SID);
      whole.close();
    }
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "IHI 0070 5.2 S1DSS: a stream that is blocked or bypassed stays so for accesses without a SubstreamID")
  void others() {
    SmmuModel model = bench.model(features(8, 1));
    SmmuDriver smmu = bench.open(model);
    AddressSpace own = space(smmu, 0xb000);
    smmu.attach(SID, 3, own);
    assertEquals(Translator.FAULT, write(model, -1));
    assertEquals(0xb000, write(model, 3));
    smmu.bypass(SID);
    assertEquals(AT, write(model, -1));
    assertEquals(Translator.FAULT, write(model, 3), "a change of the whole stream ends substreams");
    smmu.attach(SID, 3, own);
    assertEquals(AT, write(model, -1));
    assertEquals(0xb000, write(model, 3));
    smmu.detach(SID, 3);
    assertEquals(AT, write(model, -1));
    own.close();
  }

  @Test
  @DisplayName(
      "attaching, blocking and bypassing the stream end its substreams, whose spaces can be closed")
  void ended() {
    SmmuModel model = bench.model(features(8, 1));
    SmmuDriver smmu = bench.open(model);
    AddressSpace whole = space(smmu, 0xa000);
    for (Runnable end :
        List.<Runnable>of(
            () -> smmu.attach(SID, whole), () -> smmu.block(SID), () -> smmu.bypass(SID))) {
      AddressSpace own = space(smmu, 0xb000);
      smmu.attach(SID, whole);
      smmu.attach(SID, 7, own);
      smmu.attach(SID, 70, whole);
      assertEquals(0xb000, write(model, 7));
      assertThrows(IllegalStateException.class, own::close);
      end.run();
      assertEquals(Translator.FAULT, write(model, 7));
      assertEquals(Translator.FAULT, write(model, 70));
      own.close();
    }
    smmu.block(SID);
    whole.close();
  }

  @Test
  @DisplayName("what is unmapped is gone for the substreams, too")
  void unmapped() {
    SmmuModel model = bench.model(features(8, 1));
    SmmuDriver smmu = bench.open(model);
    AddressSpace own = space(smmu, 0xb000);
    smmu.attach(SID, 3, own);
    assertEquals(0xb000, write(model, 3));
    own.unmap(new Iova(AT), 0x1000);
    assertEquals(Translator.FAULT, write(model, 3));
  }

  @Test
  @DisplayName(
      "IHI 0070 4.3.3: a descriptor that changes is followed by CMD_CFGI_CD of its SubstreamID, with the way to it")
  void commands() {
    SmmuModel model = bench.model(features(8, 1));
    SmmuDriver smmu = bench.open(model);
    AddressSpace one = space(smmu, 0xb000);
    AddressSpace other = space(smmu, 0xc000);
    smmu.attach(SID, 3, one);
    List<String> sent = new ArrayList<>();
    long queue =
        SmmuRegisters.CMDQ_BASE_ADDR.get(
            model.read(SmmuRegisters.CMDQ_BASE.offset(), Long.BYTES).value());
    bench.memory.onWrite((pa, before, after) -> {
      if (pa >= queue && pa < queue + (16 << 8) && pa % 16 == 8) {
        SmmuCommand command = new SmmuCommand(bench.memory.read64(pa - 8), after);
        if (!command.name().equals("CMD_SYNC")) {
          sent.add("%s %x %x".formatted(command.name(), command.w0() >>> 8, command.w1()));
        }
      }
    });
    smmu.attach(SID, 3, other);
    String cd = "CMD_CFGI_CD 108000030 0";
    assertEquals(
        List.of(
            cd,
            cd,
            "CMD_CFGI_STE 108000000 1",
            "CMD_CFGI_CD_ALL 108000000 0",
            "CMD_TLBI_NH_ASID 10000000000 0"),
        sent,
        "taken away, put there; the stream's entry; what the old one's ASID knew");
  }

  @Test
  @DisplayName(
      "what an SMMU or a stream cannot use is refused with both figures, and nothing changes")
  void refusals() {
    SmmuModel model = bench.model(features(8, 1));
    SmmuDriver smmu = bench.open(model);
    AddressSpace first = space(smmu, 0xb000);
    AddressSpace second = smmu.createAddressSpace(Granule.K4, Stage.STAGE2);
    assertEquals(8, smmu.substreamIdBits());
    assertEquals(
        "SubstreamID 0x100 is not from 1 on and within the 8 bits of smmuv3@0x9050000",
        assertThrows(IllegalArgumentException.class, () -> smmu.attach(SID, 0x100, first))
            .getMessage());
    assertThrows(IllegalArgumentException.class, () -> smmu.attach(SID, 0, first));
    assertThrows(IllegalArgumentException.class, () -> smmu.detach(SID, -1));
    assertEquals(
        "smmuv3@0x9050000 cannot use SMMUv3 address space of VMID 1 for a substream: context descriptors lead to stage 1",
        assertThrows(IllegalArgumentException.class, () -> smmu.attach(SID, 1, second))
            .getMessage());
    smmu.attach(SID, second);
    assertEquals(
        "stream 0x108 of smmuv3@0x9050000 translates by SMMUv3 address space of VMID 1: only stage 1 has substreams; attach it elsewhere first",
        assertThrows(IllegalStateException.class, () -> smmu.attach(SID, 1, first)).getMessage());
    SmmuDriver without = bench.open(bench.model(SmmuFeatures.qemu10()));
    assertEquals(0, without.substreamIdBits());
    assertThrows(IllegalArgumentException.class, () -> without.attach(SID, 1, first));
    first.close();
    assertThrows(IllegalArgumentException.class, () -> smmu.attach(1, 1, first));
  }

  @Test
  @DisplayName(
      "without memory for descriptors, or with a write that fails, everything is as before")
  void failures() {
    SmmuModel model = bench.model(features(8, 1));
    SmmuDriver smmu = bench.open(model);
    AddressSpace whole = space(smmu, 0xa000);
    AddressSpace own = space(smmu, 0xb000);
    smmu.attach(SID, whole);
    bench.frames.limit(bench.frames.bytesInUse() + 64);
    assertThrows(OutOfFramesException.class, () -> smmu.attach(SID, 3, own));
    bench.frames.limit(Long.MAX_VALUE);
    int[] left = new int[1];
    boolean failed = true;
    for (int at = 0; failed; at++) {
      assertTrue(at < 1000);
      left[0] = at;
      bench.memory.onWrite((pa, before, after) -> {
        if (left[0]-- == 0) {
          throw new BusErrorException("write", pa, Long.BYTES);
        }
      });
      try {
        smmu.attach(SID, 3, own);
        failed = false;
      } catch (BusErrorException expected) {
        bench.memory.onWrite((pa, before, after) -> {});
        assertEquals(Translator.FAULT, write(model, 3));
        assertEquals(0xa000, write(model, -1));
      }
      bench.memory.onWrite((pa, before, after) -> {});
    }
    assertEquals(0xb000, write(model, 3));
    smmu.block(SID);
    own.close();
    whole.close();
  }
}
