package dev.doorbell.hw.lapic;

import dev.doorbell.irq.ArrivedInterrupts;
import dev.doorbell.irq.InterruptPosting;
import dev.doorbell.irq.InterruptRemapper;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import java.util.Arrays;
import java.util.Optional;

/// Vectors of the CPUs for devices behind one remapper.
final class LapicController implements MsiController {
  private static final int USUAL = 16;

  private final LapicDriver driver;
  private final InterruptRemapper remapper;
  private final ArrivedInterrupts arrivals = new ArrivedInterrupts();
  private int[] readyNumbers = new int[USUAL];
  private int[] readyCpus = new int[USUAL];
  private int ready;

  LapicController(LapicDriver driver, InterruptRemapper remapper) {
    this.driver = driver;
    this.remapper = remapper;
  }

  @Override
  public String id() {
    return remapper.id();
  }

  @Override
  public boolean isolated() {
    return remapper.isolated();
  }

  @Override
  public Optional<InterruptPosting> posting() {
    return remapper.posting();
  }

  /// {@return why there is no posting}
  String postsNot() {
    return remapper.postsNot();
  }

  /// {@return the highest APIC id of a CPU that can be given vectors}
  long lastDestination() {
    return driver.isX2Apic()
        ? remapper.lastDestination()
        : Math.min(remapper.lastDestination(), LapicDriver.LAST_XAPIC_ID);
  }

  @Override
  public int vectorsFree() {
    driver.lock.lock();
    try {
      return Math.min(remapper.free(), driver.ledger.free(lastDestination()));
    } finally {
      driver.lock.unlock();
    }
  }

  @Override
  public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
    driver.lock.lock();
    try {
      requireVectors(source, count);
      RemapEntries entries = remapper.allocate(source, count, contiguous);
      boolean bound = contiguous && !entries.keepsMessage();
      int[] places = bound ? run(count) : spread(count);
      if (places.length < count) {
        entries.free();
        throw new VectorsExhausted(
            source, id(), count, driver.ledger.longestRun(lastDestination()), LapicDriver.LIMIT);
      }
      return new LapicVectorBlock(
          driver, this, source, new LapicVectorBlock.Taken(entries, places, bound));
    } finally {
      driver.lock.unlock();
    }
  }

  private void requireVectors(MsiSource source, int count) {
    int free = driver.ledger.free(lastDestination());
    if (free < count) {
      throw new VectorsExhausted(source, id(), count, free, LapicDriver.LIMIT);
    }
  }

  /// One CPU after another, as {@link dev.doorbell.irq.MsiFunction} spreads its vectors.
  private int[] spread(int count) {
    int[] places = new int[count];
    for (int i = 0; i < count; i++) {
      places[i] = driver.ledger.takeNear(i % driver.cpus(), lastDestination());
    }
    return places;
  }

  private int[] run(int count) {
    int first = driver.ledger.takeRun(count, lastDestination());
    int[] places = new int[first == VectorLedger.NONE ? 0 : count];
    Arrays.setAll(places, i -> first + i);
    return places;
  }

  /// Keeps an interrupt until it is collected. The caller holds the driver's lock.
  void ready(int number, int cpu) {
    if (ready == readyNumbers.length) {
      readyNumbers = Arrays.copyOf(readyNumbers, 2 * ready);
      readyCpus = Arrays.copyOf(readyCpus, 2 * ready);
    }
    readyNumbers[ready] = number;
    readyCpus[ready] = cpu;
    ready++;
  }

  /// Forgets what a vector raised. The caller holds the driver's lock.
  void discard(int number) {
    int kept = 0;
    for (int i = 0; i < ready; i++) {
      if (readyNumbers[i] != number) {
        readyNumbers[kept] = readyNumbers[i];
        readyCpus[kept] = readyCpus[i];
        kept++;
      }
    }
    ready = kept;
  }

  @Override
  public int collect(InterruptSink sink) {
    ArrivedInterrupts.Round round = arrivals.begin();
    driver.lock.lock();
    try {
      driver.take();
      for (int i = 0; i < ready; i++) {
        round.arrived(readyNumbers[i], readyCpus[i]);
      }
      ready = 0;
    } finally {
      driver.lock.unlock();
    }
    return round.deliver(sink);
  }
}
