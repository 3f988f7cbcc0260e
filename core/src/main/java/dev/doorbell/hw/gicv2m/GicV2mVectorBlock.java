package dev.doorbell.hw.gicv2m;

import dev.doorbell.bus.BusException;
import dev.doorbell.irq.DrivenVectors;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.SpiController;

/// Vectors of one device: SPIs of GICv2m frames.
final class GicV2mVectorBlock extends DrivenVectors {
  private final GicV2mDriver driver;
  private final int[] spis;
  private final SpiLedger[] frames;

  GicV2mVectorBlock(GicV2mDriver driver, MsiSource source, int[] spis, SpiLedger[] frames) {
    super(driver, source, driver.lock, spis.length);
    this.driver = driver;
    this.spis = spis;
    this.frames = frames;
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
  protected void stop(int index) {
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

  /// By the distributor: a frame has no order for it.
  @Override
  public void raise(int index) {
    states.change(
        index,
        () -> {
          states.checkActive(index, "raised");
          driver.distributor.setPending(spis[index]);
        });
  }

  @Override
  public void clearPending(int index) {
    states.change(
        index,
        () -> {
          states.checkActive(index, "cleared");
          driver.distributor.clearPending(spis[index]);
        });
  }

  @Override
  protected void setMasked(int index, boolean mask) {
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
  protected void giveBack() {
    for (int i = 0; i < spis.length; i++) {
      stop(i);
    }
    for (int i = 0; i < spis.length; i++) {
      frames[i].giveBack(spis[i]);
    }
  }
}
