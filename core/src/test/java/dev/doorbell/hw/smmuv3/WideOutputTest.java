package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
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

  /// Attr2 Device-nGnRE, Attr1 Normal write-back, Attr0 Normal non-cacheable (DDI 0487, MAIR_EL1).
  private static final long MEMORY_TYPES = 0x04_ff_44L;

  private static final Iova AT = new Iova(0x800_0000);
  private static final Pa FAR = new Pa(0xa_1234_5678_0000L);

  private final DriverBench bench = new DriverBench();

  /// A model's registers, but for what its identification says of addresses; the model has 48 bits at most.
  private RegisterBus wide() {
    RegisterBus inner = DriverBench.window(bench.model(SmmuFeatures.qemu10()));
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        long value = inner.read(offset, bytes);
        return offset == SmmuRegisters.IDR5.offset()
            ? SmmuRegisters.IDR5_OAS.with(value, OAS_52)
            : value;
      }

      @Override
      public void write(long offset, long value, int bytes) {
        inner.write(offset, value, bytes);
      }
    };
  }

  @Test
  @DisplayName("tables of 64 KiB reach it, those of 4 and 16 KiB end at 48 bits")
  void granules() {
    SmmuDriver smmu =
        SmmuDriver.open("wide", wide(), bench.memory, bench.frames, SmmuSettings.of(bench.tags));
    AtomicInteger types = new AtomicInteger();
    bench.memory.onWrite((pa, was, is) -> types.addAndGet(is == MEMORY_TYPES ? 1 : 0));
    AddressSpace space = smmu.createAddressSpace(Granule.K64);
    assertEquals(1, types.get(), "CD.MAIR");
    space.map(AT, FAR, Granule.K64.bytes(), Protection.DOORBELL);
    assertEquals(Optional.of(FAR), space.translate(AT));
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
}
