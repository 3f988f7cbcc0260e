package dev.doorbell.hw.gicv2m;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Pa;
import dev.doorbell.hw.gicv2.GicV2Config;
import dev.doorbell.hw.gicv2.GicV2Driver;
import dev.doorbell.hw.gicv2.GicV2Hardware;
import dev.doorbell.hw.gicv2.GicV2Model;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.testkit.Interleavings;
import dev.doorbell.testkit.Interleavings.Operation;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("GICv2m driver: what two threads see, one thread would see in some order")
class GicV2mOrderTest {
  private static final int SPIS = 3;
  private static final MsiSource NVME = new MsiSource("0000:01:00.0", 0x100);

  /// A frame of three SPIs, and the blocks that were taken of it.
  private static final class Frame {
    private final GicV2mDriver driver;
    private final ConcurrentLinkedDeque<VectorBlock> taken = new ConcurrentLinkedDeque<>();

    Frame() {
      GicV2Model gic = new GicV2Model(new GicV2Config(1, 96, 5));
      gic.openCpuInterfaces();
      ModelRegisters registers = new ModelRegisters(gic.distributor(0));
      GicV2Driver distributor =
          GicV2Driver.open(
              GicV2Hardware.of("gicd@0x8000000", registers, Optional.empty(), 1).with(gic));
      GicV2mModel model = new GicV2mModel(80, SPIS, gic::spi);
      driver =
          GicV2mDriver.open(
              GicV2mFrame.of("gicv2m@0x8020000", new Pa(0x802_0000), new ModelRegisters(model)),
              distributor);
    }

    Object take(int count) {
      VectorBlock block = driver.allocate(NVME, count, false);
      taken.add(block);
      return IntStream.range(0, count).map(block::intid).boxed().toList();
    }

    Object give() {
      VectorBlock block = taken.poll();
      if (block != null) {
        block.free();
      }
      return driver.vectorsFree() <= SPIS;
    }
  }

  @Test
  @DisplayName("SPIs taken and given back at once: each has one owner, and none is lost")
  void spis() {
    Interleavings.check(
        "SPIs of a frame",
        5,
        Frame::new,
        List.of(
            new Operation<>("take 1", f -> f.take(1)),
            new Operation<>("take 2", f -> f.take(2)),
            new Operation<>("take 3", f -> f.take(3))),
        f -> f.driver.vectorsFree());
  }

  @Test
  @DisplayName("and given back by a thread that did not take them")
  void returned() {
    Interleavings.check(
        "SPIs of a frame given back",
        5,
        Frame::new,
        List.of(new Operation<>("take and give", f -> f.take(1) != null && f.give() != null)),
        f -> f.driver.vectorsFree());
  }

  @Test
  @DisplayName("who takes SPIs waits for the driver's lock")
  void locked() throws InterruptedException {
    Frame frame = new Frame();
    frame.take(1);
    Thread other;
    frame.driver.lock.lock();
    try {
      other = Thread.ofPlatform().daemon().start(() -> frame.take(1));
      while (other.getState() != Thread.State.WAITING) {
        assertTrue(other.isAlive(), "it did not wait");
        Thread.yield();
      }
    } finally {
      frame.driver.lock.unlock();
    }
    other.join();
    assertEquals(SPIS - 2, frame.driver.vectorsFree());
  }
}
