package dev.doorbell.hw.gicv2m;

import dev.doorbell.bus.BusException;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.SpiController;
import dev.doorbell.irq.VectorBlock;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// Vectors of one device: SPIs of GICv2m frames.
final class GicV2mVectorBlock implements VectorBlock {
  private final GicV2mDriver driver;
  private final MsiSource source;
  private final int[] spis;
  private final SpiLedger[] frames;
  private final boolean[] active;
  private final boolean[] masked;
  private final AtomicIntegerArray cpus;
  private boolean freed;

  GicV2mVectorBlock(GicV2mDriver driver, MsiSource source, int[] spis, SpiLedger[] frames) {
    this.driver = driver;
    this.source = source;
    this.spis = spis;
    this.frames = frames;
    active = new boolean[spis.length];
    masked = new boolean[spis.length];
    cpus = new AtomicIntegerArray(spis.length);
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
    return cpus.get(index);
  }

  @Override
  public void activate(int index, int cpu) {
    change(
        index,
        () -> {
          if (active[index]) {
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
    if (!masked[index]) {
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
    active[index] = true;
  }

  private void route(int index, int cpu) {
    driver.distributor.route(spis[index], cpu);
    cpus.set(index, cpu);
  }

  @Override
  public void deactivate(int index) {
    change(index, () -> stop(index));
  }

  private void stop(int index) {
    if (active[index]) {
      driver.distributor.disable(spis[index]);
      driver.distributor.clearPending(spis[index]);
      active[index] = false;
    }
  }

  @Override
  public void retarget(int index, int cpu) {
    change(
        index,
        () -> {
          if (!active[index]) {
            throw new IllegalStateException(
                "vector %d of %s at %s is not active and cannot be moved"
                    .formatted(index, source.name(), driver.id()));
          }
          route(index, cpu);
        });
  }

  @Override
  public void mask(int index) {
    change(index, () -> setMasked(index, true));
  }

  @Override
  public void unmask(int index) {
    change(index, () -> setMasked(index, false));
  }

  private void setMasked(int index, boolean mask) {
    if (active[index]) {
      if (mask) {
        driver.distributor.disable(spis[index]);
      } else {
        driver.distributor.enable(spis[index]);
      }
    }
    masked[index] = mask;
  }

  @Override
  public void free() {
    driver.lock.lock();
    try {
      if (freed) {
        return;
      }
      for (int i = 0; i < spis.length; i++) {
        stop(i);
      }
      freed = true;
      for (int i = 0; i < spis.length; i++) {
        frames[i].giveBack(spis[i]);
      }
    } finally {
      driver.lock.unlock();
    }
  }

  private void change(int index, Runnable action) {
    if (index < 0 || index >= spis.length) {
      throw new IndexOutOfBoundsException(
          "%s has %d vectors and no vector %d".formatted(source.name(), spis.length, index));
    }
    driver.lock.lock();
    try {
      if (freed) {
        throw new IllegalStateException(
            "vectors of " + source.name() + " at " + driver.id() + " have been freed");
      }
      action.run();
    } finally {
      driver.lock.unlock();
    }
  }
}
