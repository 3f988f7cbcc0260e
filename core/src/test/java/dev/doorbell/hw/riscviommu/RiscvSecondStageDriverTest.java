package dev.doorbell.hw.riscviommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RISC-V IOMMU: the driver with second stages, on the model")
class RiscvSecondStageDriverTest {
  private static final long MEMORY = 0x8000_0000L;
  private static final long TARGET = 0x9_0000_0000L;
  private static final int DEVICE = 0x1_0428;

  private final PlainMemory memory = new PlainMemory(MEMORY, 0x1000_0000L);
  private final CountedFrames frames = new CountedFrames(memory, MEMORY, 0x800_0000L);
  private final RiscvIommuModel model = model(RiscvIommuFeatures.usual(48));

  private RiscvIommuModel model(RiscvIommuFeatures features) {
    return new RiscvIommuModel(
        features,
        memory,
        new SystemBus() {
          @Override
          public BusOutcome write(long pa, long value, int bytes, int requester) {
            return BusOutcome.ERROR;
          }

          @Override
          public BusRead read(long pa, int bytes) {
            return BusRead.error(bytes);
          }
        });
  }

  private long write(long iova) {
    return model.translate(DEVICE, -1, iova, Translator.WRITE);
  }

  @Test
  @DisplayName(
      "second stages: a device is attached, mapped, unmapped, moved and blocked; an IOMMU without second stages refuses them; nothing leaks")
  void secondStage() {
    RiscvIommuSettings settings = RiscvIommuSettings.usual().withSecondStage();
    RiscvIommuDriver iommu =
        RiscvIommuDriver.open("riscv-iommu@0", new ModelRegisters(model), memory, frames, settings);
    assertEquals(59, iommu.capabilities().inputBits());
    AddressSpace a = iommu.createAddressSpace(Granule.K4);
    AddressSpace b = iommu.createAddressSpace(Granule.K4);
    assertEquals(new AddressRange(0, (1L << 59) - 1), a.aperture());
    long high = 0x7ff_ffff_ffff_f000L;
    a.map(new Iova(0x20_0000), new Pa(TARGET), 0x40_1000, Protection.READ_WRITE);
    a.map(new Iova(high), new Pa(TARGET), 0x1000, Protection.READ_WRITE);
    iommu.attach(DEVICE, a);
    assertEquals(TARGET + 0x40_0ff8, write(0x60_0ff8));
    assertEquals(TARGET + 8, write(high + 8), "the last page of the wider first table");
    assertEquals(Translator.FAULT, write(0x60_1000));
    assertEquals(23, iommu.drainFaults().getFirst().cause());
    assertEquals(0x1000, a.unmap(new Iova(high), 0x1000));
    assertEquals(Translator.FAULT, write(high));
    assertEquals(0x1000, a.unmap(new Iova(0x20_1000), 0x1000));
    assertEquals(Translator.FAULT, write(0x20_1000));
    assertEquals(TARGET + 0x2000, write(0x20_2000), "the rest of the cut block");
    b.map(new Iova(0x20_0000), new Pa(TARGET + 0x100_0000), 0x1000, Protection.READ_WRITE);
    iommu.attach(DEVICE, b);
    assertEquals(TARGET + 0x100_0000, write(0x20_0000));
    assertEquals(Translator.FAULT, write(0x20_2000));
    assertEquals(0x40_0000, a.unmap(new Iova(0x20_0000), 0x40_1000));
    iommu.block(DEVICE);
    assertEquals(Translator.FAULT, write(0x20_0000));
    RiscvIommuDriver first =
        RiscvIommuDriver.open(
            "riscv-iommu@1",
            new ModelRegisters(model(RiscvIommuFeatures.usual(48).without(7L << 17))),
            memory,
            frames,
            new RiscvIommuSettings(settings.tags(), false, settings.polls()));
    assertThrows(IllegalArgumentException.class, () -> first.attach(DEVICE, a));
    a.close();
    b.close();
    first.close();
    iommu.close();
    assertEquals(0, frames.bytesInUse());
  }

  @Test
  @DisplayName("an IOMMU without Sv39x4, Sv48x4 and Sv57x4 has no second stage for the driver")
  void noSecondStage() {
    RiscvIommuModel lacking = model(RiscvIommuFeatures.usual(48).without(7L << 17));
    assertThrows(
        RiscvIommuUnsupported.class,
        () ->
            RiscvIommuDriver.open(
                "riscv-iommu@0",
                new ModelRegisters(lacking),
                memory,
                frames,
                RiscvIommuSettings.usual().withSecondStage()));
    assertEquals(0, frames.bytesInUse());
  }
}
