package dev.doorbell.hw.gicv2m;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.Pa;
import dev.doorbell.hw.gicv3.GicV3Config;
import dev.doorbell.hw.gicv3.GicV3Driver;
import dev.doorbell.hw.gicv3.GicV3Hardware;
import dev.doorbell.hw.gicv3.GicV3Model;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("GICv2m driver: a frame on a GICv3's distributor")
class GicV2mOnGicV3Test {
  private static final long GICR = 0x080a_0000L;

  @Test
  @DisplayName("delivers, moves a pending message, and drops what is inactive, as on a GICv2")
  void delivers() {
    PlainMemory memory = new PlainMemory(0x4000_0000L, 0x200_0000L);
    CountedFrames frames = new CountedFrames(memory, 0x4010_0000L, 0x1f0_0000L);
    List<Long> mpidrs = List.of(0L, 1L);
    GicV3Model gic = new GicV3Model(GicV3Config.of(mpidrs, GICR), memory);
    GicV3Hardware hardware =
        new GicV3Hardware(
            "gic@0x8000000",
            new ModelRegisters(gic.distributor()),
            List.of(
                new GicV3Hardware.Region(
                    new ModelRegisters(gic.redistributors(0, 2)), GICR, 0x4_0000L)),
            mpidrs,
            memory,
            frames,
            Optional.of(gic));
    GicV2mModel frame = new GicV2mModel(80, 64, gic::spi);
    GicV2mDriver driver =
        GicV2mDriver.open(
            GicV2mFrame.of("gicv2m@0x8020000", new Pa(0x802_0000), new ModelRegisters(frame)),
            GicV3Driver.open(hardware));
    VectorBlock block = driver.allocate(new MsiSource("0000:01:00.0", 0x100), 2, true);
    List<String> arrived = new ArrayList<>();
    frame.write(0x40, block.data(0), 4, 0x100);
    driver.collect((intid, cpu) -> arrived.add(intid + "@" + cpu));
    block.activate(0, 0);
    block.activate(1, 1);
    frame.write(0x40, block.data(0), 4, 0x100);
    frame.write(0x40, block.data(1), 4, 0x100);
    driver.collect((intid, cpu) -> arrived.add(intid + "@" + cpu));
    block.mask(1);
    frame.write(0x40, block.data(1), 4, 0x100);
    block.retarget(1, 0);
    block.unmask(1);
    driver.collect((intid, cpu) -> arrived.add(intid + "@" + cpu));
    assertEquals(List.of("80@0", "81@1", "81@0"), arrived);
    block.free();
    assertEquals(64, driver.vectorsFree());
  }
}
