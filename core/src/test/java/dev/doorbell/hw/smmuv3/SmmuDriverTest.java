package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.Protection;
import dev.doorbell.vmsa.Stage;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SmmuDriverTest {
  private static final int SID = 0x108;
  private static final long DOORBELL = 0x0809_0000L;

  private final DriverBench bench = new DriverBench();

  private long write(SmmuModel model, int stream, long iova) {
    return model.translate(stream, -1, iova, Translator.WRITE);
  }

  private long read(SmmuModel model, int stream, long iova) {
    return model.translate(stream, -1, iova, Translator.READ);
  }

  @ParameterizedTest
  @DisplayName(
      "A doorbell is reached through each granule, stage and form of stream table, and no longer once it is unmapped")
  @CsvSource({
    "12, STAGE1, 1",
    "14, STAGE1, 1",
    "16, STAGE1, 1",
    "12, STAGE2, 1",
    "14, STAGE2, 1",
    "16, STAGE2, 1",
    "12, STAGE1, 0",
    "16, STAGE2, 0",
  })
  void doorbell(int shift, Stage stage, int levels) {
    SmmuModel model =
        bench.model(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_ST_LEVEL, levels));
    try (SmmuDriver smmu = bench.open(model, SmmuSettings.of(bench.tags).with(stage))) {
      Granule granule = new Granule(shift);
      long empty = bench.frames.bytesInUse();
      AddressSpace space = smmu.createAddressSpace(granule);
      space.map(new Iova(0x800_0000), new Pa(DOORBELL), granule.bytes(), Protection.DOORBELL);
      assertEquals(Translator.FAULT, write(model, SID, 0x800_0040));
      smmu.attach(SID, space);
      assertEquals(DOORBELL + 0x40, write(model, SID, 0x800_0040));
      long readable = stage == Stage.STAGE1 ? DOORBELL : Translator.FAULT;
      assertEquals(
          readable, read(model, SID, 0x800_0000), "write-only where the format can say so");
      assertEquals(Optional.of(new Pa(DOORBELL + 0x40)), space.translate(new Iova(0x800_0040)));
      assertEquals(granule.bytes(), space.unmap(new Iova(0x800_0000), granule.bytes()));
      assertEquals(Translator.FAULT, write(model, SID, 0x800_0040));
      assertThrows(IllegalStateException.class, space::close);
      smmu.block(SID);
      space.close();
      long secondLevel = levels == 1 ? 64L << 8 : 0;
      assertEquals(empty + secondLevel, bench.frames.bytesInUse());
    }
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("An address space whose context descriptor cannot be written gives its memory back")
  void unwritten() {
    SmmuDriver smmu = bench.open(bench.model(SmmuFeatures.qemu10()));
    long before = bench.frames.bytesInUse();
    bench.memory.onWrite((pa, was, is) -> {
      throw new BusErrorException("write", pa, Long.BYTES);
    });
    assertThrows(BusErrorException.class, () -> smmu.createAddressSpace(Granule.K4));
    assertEquals(before, bench.frames.bytesInUse());
    bench.memory.onWrite((pa, was, is) -> {});
    AddressSpace next = smmu.createAddressSpace(Granule.K4);
    assertTrue(next.toString().endsWith("ASID 1"), next.toString());
  }

  @Test
  @DisplayName("Capabilities come from the identification registers")
  void capabilities() {
    SmmuDriver smmu = bench.open(bench.model(SmmuFeatures.qemu10()));
    assertEquals(
        new IommuCapabilities(
            "SMMUv3", List.of(Granule.K4, Granule.K16, Granule.K64), 48, 44, 16, true, false),
        smmu.capabilities());
    SmmuModel second = bench.model(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_S1P, 0));
    assertEquals(
        new IommuCapabilities(
            "SMMUv3", List.of(Granule.K4, Granule.K16, Granule.K64), 44, 44, 16, true, true),
        bench.open(second).capabilities(),
        "stage 2 where there is no stage 1");
  }

  @Test
  @DisplayName("One address space on two SMMUs: an unmap reaches the caches of both")
  void twoSmmus() {
    SmmuModel one = bench.model(SmmuFeatures.qemu10());
    SmmuModel two = bench.model(SmmuFeatures.qemu10());
    SmmuDriver first = bench.open(one);
    SmmuDriver second = bench.open(two);
    AddressSpace space = first.createAddressSpace(Granule.K4);
    first.attach(1, space);
    second.attach(2, space);
    space.map(new Iova(0x1000), new Pa(0x5000), 0x2000, Protection.READ_WRITE);
    assertEquals(0x5008, write(one, 1, 0x1008));
    assertEquals(0x5008, write(two, 2, 0x1008));
    space.unmap(new Iova(0x1000), 0x1000);
    assertEquals(Translator.FAULT, write(one, 1, 0x1008));
    assertEquals(Translator.FAULT, write(two, 2, 0x1008));
    assertEquals(0x6000, read(two, 2, 0x2000));
    second.block(2);
    space.unmap(new Iova(0x2000), 0x1000);
    second.attach(2, space);
    assertEquals(Translator.FAULT, read(two, 2, 0x2000), "nothing from before the detach is left");
  }

  @Test
  @DisplayName("IHI 0070 4.4: where a table goes, what the caches know of the way to it goes, too")
  void tableGone() {
    SmmuModel model = bench.model(SmmuFeatures.qemu10());
    SmmuDriver smmu = bench.open(model);
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    smmu.attach(SID, space);
    space.map(new Iova(0x20_0000), new Pa(0x5000), 0x1000, Protection.READ_WRITE);
    assertEquals(0x5000, read(model, SID, 0x20_0000));
    space.unmap(new Iova(0x20_0000), 0x1000);
    for (int i = 0; i < 4; i++) {
      // The tables' memory becomes somebody else's.
      bench.frames.allocate(0x1000, 0x1000);
    }
    space.map(new Iova(0x20_0000), new Pa(0x6000), 0x1000, Protection.READ_WRITE);
    assertEquals(0x6000, read(model, SID, 0x20_0000));
  }

  @Test
  @DisplayName(
      "Streams move between abort, bypass and address spaces; who else uses a space does not notice")
  void moves() {
    SmmuModel model = bench.model(SmmuFeatures.qemu10());
    SmmuDriver smmu = bench.open(model);
    AddressSpace a = smmu.createAddressSpace(Granule.K4);
    AddressSpace b = smmu.createAddressSpace(Granule.K64);
    a.map(new Iova(0x10000), new Pa(0xa0000), 0x10000, Protection.READ_WRITE);
    b.map(new Iova(0x10000), new Pa(0xb0000), 0x10000, Protection.READ_WRITE);
    smmu.attach(7, a);
    for (int i = 0; i < 3; i++) {
      smmu.bypass(SID);
      assertEquals(0x10004, write(model, SID, 0x10004));
      smmu.attach(SID, a);
      assertEquals(0xa0004, write(model, SID, 0x10004));
      smmu.attach(SID, b);
      assertEquals(0xb0004, write(model, SID, 0x10004));
      smmu.block(SID);
      assertEquals(Translator.FAULT, write(model, SID, 0x10004));
      assertEquals(0xa0004, write(model, 7, 0x10004));
    }
    assertEquals(Translator.FAULT, write(model, SID + 1, 0x10004), "one that was never set");
    assertEquals(List.of(), smmu.drainEvents().events(), "a blocked stream records nothing");
  }

  @Test
  @DisplayName("IHI 0070 7.3 F_TRANSLATION: the event tells stream, address and direction")
  void events() {
    SmmuModel model = bench.model(SmmuFeatures.qemu10());
    SmmuDriver smmu = bench.open(model);
    smmu.attach(SID, smmu.createAddressSpace(Granule.K4));
    assertEquals(Translator.FAULT, write(model, SID, 0x1234_5678));
    assertEquals(Translator.FAULT, write(model, 0xf00, 0));
    SmmuEvents drained = smmu.drainEvents();
    assertFalse(drained.lost());
    assertEquals(List.of(), drained.globalErrors());
    var fault = assertInstanceOf(SmmuEvent.AccessFault.class, drained.events().getFirst());
    assertEquals("F_TRANSLATION", fault.header().name());
    assertEquals(SID, fault.header().streamId());
    assertEquals(new Iova(0x1234_5678), fault.input());
    assertFalse(fault.read());
    var unknown = assertInstanceOf(SmmuEvent.ConfigurationFault.class, drained.events().get(1));
    assertEquals("C_BAD_STREAMID", unknown.header().name());
    assertEquals(0xf00, unknown.header().streamId());
    assertEquals(List.of(), smmu.drainEvents().events());
  }

  @Test
  @DisplayName("A full event queue is told, and records again after it was drained")
  void eventsLost() {
    SmmuModel model = bench.model(SmmuFeatures.qemu10());
    SmmuDriver smmu = bench.open(model);
    smmu.attach(SID, smmu.createAddressSpace(Granule.K4));
    for (int i = 0; i < 300; i++) {
      write(model, SID, i * 0x1000L);
    }
    SmmuEvents first = smmu.drainEvents();
    assertTrue(first.lost());
    assertEquals(128, first.events().size());
    write(model, SID, 0x7000);
    SmmuEvents second = smmu.drainEvents();
    assertFalse(second.lost());
    assertEquals(1, second.events().size());
  }

  @Test
  @DisplayName(
      "IHI 0070 7.1 CERROR_ILL: a refused command is named, the stream stays as it was, and the queue goes on")
  void refusedCommand() {
    SmmuModel model = bench.model(SmmuFeatures.qemu10());
    SmmuDriver smmu = bench.open(model);
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    space.map(new Iova(0), new Pa(0x9000), 0x1000, Protection.READ_WRITE);
    boolean[] spoil = {true};
    bench.memory.onWrite((pa, before, after) -> {
      // A fault in memory: the opcode of the first CMD_CFGI_STE becomes one that there is not.
      if (spoil[0] && (after & 0xff) == CommandLayout.CMD_CFGI_STE && after >>> 32 == SID) {
        spoil[0] = false;
        bench.memory.write64(pa, after | 0xff);
      }
    });
    var refused = assertThrows(SmmuCommandException.class, () -> smmu.attach(SID, space));
    assertEquals("command 0xff", refused.command());
    assertEquals("CERROR_ILL", refused.error());
    assertEquals(Translator.FAULT, write(model, SID, 0));
    smmu.attach(SID, space);
    assertEquals(0x9000, write(model, SID, 0));
  }

  @Test
  @DisplayName("What an SMMU cannot use is refused with both figures")
  void refusals() {
    SmmuDriver wide = bench.open(bench.model(SmmuFeatures.qemu10()));
    SmmuDriver narrow = bench.open(bench.model(SmmuFeatures.qemu10().withOutputBits(40)));
    AddressSpace space = wide.createAddressSpace(Granule.K4);
    assertEquals(
        "smmuv3@0x9050000 cannot use SMMUv3 address space of ASID 1: its 44-bit output is wider than 40 bits",
        assertThrows(IllegalArgumentException.class, () -> narrow.attach(0, space)).getMessage());
    assertEquals(
        "stream 0x10000 is wider than the 16 bits of smmuv3@0x9050000",
        assertThrows(IllegalArgumentException.class, () -> wide.attach(0x10000, space))
            .getMessage());
    SmmuDriver stranger = new DriverBench().open(bench.model(SmmuFeatures.qemu10()));
    assertThrows(IllegalArgumentException.class, () -> stranger.attach(0, space));
    space.close();
    assertThrows(IllegalArgumentException.class, () -> wide.attach(0, space));
    SmmuModel no16 = bench.model(SmmuFeatures.qemu10().withIdr5(SmmuRegisters.IDR5_GRAN16K, 0));
    assertThrows(
        IllegalArgumentException.class, () -> bench.open(no16).createAddressSpace(Granule.K16));
  }

  @Test
  @DisplayName("Without memory nothing is opened, made or attached, and nothing is kept")
  void outOfFrames() {
    SmmuModel model = bench.model(SmmuFeatures.qemu10());
    for (long limit = 0; limit < 10_000; limit += 1024) {
      bench.frames.limit(limit);
      assertThrows(OutOfFramesException.class, () -> bench.open(model));
      assertEquals(0, bench.frames.bytesInUse());
    }
    bench.frames.limit(Long.MAX_VALUE);
    SmmuDriver smmu = bench.open(model);
    long open = bench.frames.bytesInUse();
    bench.frames.limit(open + 4096);
    assertThrows(OutOfFramesException.class, () -> smmu.createAddressSpace(Granule.K4));
    assertEquals(open, bench.frames.bytesInUse());
    bench.frames.limit(open + 4096 + 64);
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    assertThrows(OutOfFramesException.class, () -> smmu.attach(SID, space));
    space.close();
    assertEquals(open, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("A register that never follows ends the start with what was waited for")
  void timeout() {
    RegisterBus dead =
        new RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            return offset < 0x20
                ? DriverBench.window(bench.model(SmmuFeatures.qemu10())).read(offset, bytes)
                : 0xffff_ffffL;
          }

          @Override
          public void write(long offset, long value, int bytes) {}
        };
    SmmuSettings settings = new SmmuSettings(bench.tags, Optional.empty(), 10);
    assertThrows(
        SmmuTimeoutException.class,
        () -> SmmuDriver.open("dead", dead, bench.memory, bench.frames, settings));
  }
}
