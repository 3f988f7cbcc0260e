package dev.doorbell.hw.gicv2m;

import dev.doorbell.explain.Source;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.SpiController;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// Shares out the SPIs of one or several GICv2m frames. The frames need no programming; the SPIs behind them are set up at the distributor
/// below, a GICv2's or a GICv3's.
///
/// A frame does not see who writes: any device that reaches one can raise every SPI of it, so this controller is never isolated.
///
/// **Source**: ARM DEN 0029 v2.2 (Server Base System Architecture), pages 35 to 39, as QEMU's `hw/intc/arm_gicv2m.c` cites it.
public final class GicV2mDriver implements MsiController {
  final ReentrantLock lock = new ReentrantLock();
  final SpiController distributor;
  private final String id;
  private final List<SpiLedger> frames;

  private GicV2mDriver(String id, List<SpiLedger> frames, SpiController distributor) {
    this.id = id;
    this.frames = frames;
    this.distributor = distributor;
  }

  /// {@return a driver of one frame}
  ///
  /// @throws MsiControllerFailed when its SPIs are not ones of the distributor
  public static GicV2mDriver open(GicV2mFrame frame, SpiController distributor) {
    return open(frame.id(), List.of(frame), distributor);
  }

  /// {@return a driver that takes SPIs from any of several frames}
  ///
  /// @param id the name of them all
  /// @param frames at least one
  /// @throws MsiControllerFailed when a frame's SPIs are not ones of the distributor, or are another frame's too
  public static GicV2mDriver open(String id, List<GicV2mFrame> frames, SpiController distributor) {
    if (frames.isEmpty()) {
      throw new IllegalArgumentException(id + " has no frame");
    }
    List<SpiLedger> ledgers = new ArrayList<>();
    for (GicV2mFrame frame : frames) {
      SpiLedger ledger = SpiLedger.open(frame, distributor);
      for (SpiLedger other : ledgers) {
        if (ledger.overlaps(other)) {
          throw new MsiControllerFailed(
              ledger.id,
              "has SPIs %d to %d, and %s has %d to %d: one message would mean two devices"
                  .formatted(ledger.base, ledger.last(), other.id, other.base, other.last()),
              ledger.source);
        }
      }
      ledgers.add(ledger);
    }
    return new GicV2mDriver(id, List.copyOf(ledgers), distributor);
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public boolean isolated() {
    return false;
  }

  @Override
  public int vectorsFree() {
    lock.lock();
    try {
      return frames.stream().mapToInt(SpiLedger::free).sum();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
    if (count <= 0 || (contiguous && Integer.bitCount(count) != 1)) {
      throw new IllegalArgumentException(
          "%s asks %s for %d vectors (contiguous: %b)"
              .formatted(source.name(), id, count, contiguous));
    }
    lock.lock();
    try {
      int[] spis = new int[count];
      SpiLedger[] owners = new SpiLedger[count];
      if (contiguous) {
        takeBlock(source, spis, owners);
      } else {
        takeAny(source, spis, owners);
      }
      return new GicV2mVectorBlock(this, source, spis, owners);
    } finally {
      lock.unlock();
    }
  }

  /// The data of multi-message MSI: one aligned run of one frame, as the device replaces the lowest bits.
  private void takeBlock(MsiSource source, int[] spis, SpiLedger[] owners) {
    int largest = 0;
    for (SpiLedger frame : frames) {
      int first = frame.findBlock(spis.length);
      if (first >= 0) {
        for (int i = 0; i < spis.length; i++) {
          take(frame, first + i, i, spis, owners);
        }
        return;
      }
      largest = Math.max(largest, frame.largestBlock());
    }
    throw new VectorsExhausted(source, id, spis.length, largest, limit());
  }

  /// From one frame when one has enough, so that the device needs one doorbell; else from several.
  private void takeAny(MsiSource source, int[] spis, SpiLedger[] owners) {
    int free = frames.stream().mapToInt(SpiLedger::free).sum();
    if (free < spis.length) {
      throw new VectorsExhausted(source, id, spis.length, free, limit());
    }
    List<SpiLedger> order =
        frames.stream()
            .filter(f -> f.free() >= spis.length)
            .findFirst()
            .map(List::of)
            .orElse(frames);
    int done = 0;
    for (SpiLedger frame : order) {
      while (done < spis.length && frame.free() > 0) {
        take(frame, frame.lowestFree(), done, spis, owners);
        done++;
      }
    }
  }

  private static void take(SpiLedger frame, int spi, int index, int[] spis, SpiLedger[] owners) {
    frame.take(spi);
    spis[index] = spi;
    owners[index] = frame;
  }

  private Source limit() {
    return frames.getFirst().source;
  }

  @Override
  public int collect(InterruptSink sink) {
    int arrived = 0;
    for (SpiLedger frame : frames) {
      arrived += distributor.collect(frame.base, frame.last(), sink);
    }
    return arrived;
  }
}
