package dev.doorbell.hw.gicv2m;

import dev.doorbell.bus.BusException;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.SpiController;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorStates;

/// Vectors of one device: SPIs of GICv2m frames.
final class GicV2mVectorBlock implements VectorBlock {
  private final GicV2mDriver driver;
  private final int[] spis;
  private final SpiLedger[] frames;
  private final VectorStates states;

  GicV2mVectorBlock(GicV2mDriver driver, MsiSource source, int[] spis, SpiLedger[] frames) {
    this.driver = driver;
    this.spis = spis;
    this.frames = frames;
    states = new VectorStates(source.name(), driver, driver.lock, spis.length);
  }

  @Override
  public MsiController controller() {
    return driver;
  }

  @Override
  public int count() {
    return spis.length;
  }

  @Override
  public long doorbell(int index) {
    return frames[index].doorbell;
  }

  @Override
  public int data(int index) {
    return frames[index].data(spis[index]);
  }

  @Override
  public int intid(int index) {
    return spis[index];
  }

  @Override
  public int cpu(int index) {
    return states.cpu(index);
  }

  @Override
  public void activate(int index, int cpu) {
    states.change(
        index,
        () -> {
          if (states.isActive(index)) {
            route(index, cpu);
          } else {
            start(index, cpu);
          }
        });
  }

  /// The trigger may only change while the SPI is disabled; what is pending from before was meant for somebody else.
  private void start(int index, int cpu) {
    SpiController spi = driver.distributor;
    int intid = spis[index];
    spi.disable(intid);
    route(index, cpu);
    spi.configureEdge(intid);
    spi.clearPending(intid);
    if (!states.isMasked(index)) {
      try {
        spi.enable(intid);
      } catch (MsiControllerFailed | BusException e) {
        try {
          spi.disable(intid);
        } catch (MsiControllerFailed | BusException again) {
          e.addSuppressed(again);
        }
        throw e;
      }
    }
    states.setActive(index, true);
  }

  private void route(int index, int cpu) {
    driver.distributor.route(spis[index], cpu);
    states.setCpu(index, cpu);
  }

  @Override
  public void deactivate(int index) {
    states.change(index, () -> stop(index));
  }

  private void stop(int index) {
    if (states.isActive(index)) {
      driver.distributor.disable(spis[index]);
      driver.distributor.clearPending(spis[index]);
      states.setActive(index, false);
    }
  }

  @Override
  public void retarget(int index, int cpu) {
    states.change(
        index,
        () -> {
          states.checkActive(index);
          route(index, cpu);
        });
  }

  @Override
  public void mask(int index) {
    states.change(index, () -> setMasked(index, true));
  }

  @Override
  public void unmask(int index) {
    states.change(index, () -> setMasked(index, false));
  }

  private void setMasked(int index, boolean mask) {
    if (states.isActive(index)) {
      if (mask) {
        driver.distributor.disable(spis[index]);
      } else {
        driver.distributor.enable(spis[index]);
      }
    }
    states.setMasked(index, mask);
  }

  @Override
  public void free() {
    states.free(this::giveBack);
  }

  private void giveBack() {
    for (int i = 0; i < spis.length; i++) {
      stop(i);
    }
    for (int i = 0; i < spis.length; i++) {
      frames[i].giveBack(spis[i]);
    }
  }
}
