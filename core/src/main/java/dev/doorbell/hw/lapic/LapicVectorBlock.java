package dev.doorbell.hw.lapic;

import dev.doorbell.irq.DestinationOutOfReach;
import dev.doorbell.irq.DrivenVectors;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.PostingUnsupported;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.irq.VectorsShareMessage;
import dev.doorbell.irq.X86CommandLayout;
import dev.doorbell.irq.X86Interrupt;
import java.util.BitSet;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// Vectors of one device: for each an entry at the remapper, and a place: a CPU and a vector there.
///
/// A local APIC cannot mask a device's vector, so one that arrives while it is masked is kept here until it is unmasked.
final class LapicVectorBlock extends DrivenVectors {
  /// What was taken for a block.
  ///
  /// @param places where each vector is
  /// @param bound whether all must stay on one CPU, since they share an address that names it
  record Taken(RemapEntries entries, int[] places, boolean bound) {}

  private final LapicDriver driver;
  private final LapicController controller;
  private final MsiSource source;
  private final RemapEntries entries;
  private final boolean bound;
  private final AtomicIntegerArray places;

  /// Where a vector was before, while messages sent to there may still arrive; else {@link VectorLedger#NONE}.
  private final int[] former;

  private final int[] numbers;
  private final BitSet held = new BitSet();
  private final BitSet posted = new BitSet();

  LapicVectorBlock(LapicDriver driver, LapicController controller, MsiSource source, Taken taken) {
    super(controller, source, driver.lock, taken.places().length);
    this.driver = driver;
    this.controller = controller;
    this.source = source;
    this.entries = taken.entries();
    this.bound = taken.bound();
    int count = taken.places().length;
    places = new AtomicIntegerArray(taken.places());
    former = new int[count];
    numbers = new int[count];
    for (int i = 0; i < count; i++) {
      former[i] = VectorLedger.NONE;
      numbers[i] = driver.numbers().take(this, i);
      driver.numbers().put(places.get(i), numbers[i]);
    }
  }

  @Override
  public long doorbell(int index) {
    return entries.address(index);
  }

  @Override
  public int data(int index) {
    return entries.data(index);
  }

  @Override
  public int intid(int index) {
    return VectorLedger.vector(places.get(index));
  }

  @Override
  public OptionalInt entry(int index) {
    return entries.entry(index);
  }

  @Override
  public boolean changesAtOnce() {
    return entries.changesAtOnce();
  }

  @Override
  public int number(int index) {
    return numbers[index];
  }

  @Override
  public int cpu(int index) {
    return VectorLedger.cpu(places.get(index));
  }

  /// Lets a vector arrive at a CPU: the wanted one where it has a vector left and this block's vectors can part, else where the vector was taken.
  @Override
  public void activate(int index, int cpu) {
    states.change(
        index,
        () -> {
          requireCpu(cpu);
          if (states.isActive(index)) {
            move(index, cpu);
            return;
          }
          boolean moves =
              !bound
                  && cpu != cpu(index)
                  && driver.ledger.reaches(cpu, controller.lastDestination());
          int next = moves ? driver.ledger.take(cpu) : VectorLedger.NONE;
          if (next == VectorLedger.NONE) {
            entries.route(index, interrupt(places.get(index)));
          } else {
            change(index, next);
            release(former[index]);
            former[index] = VectorLedger.NONE;
          }
          states.setActive(index, true);
        });
  }

  @Override
  protected void stop(int index) {
    entries.block(index);
    posted.clear(index);
    states.setActive(index, false);
    driver.take();
    settle(index);
    controller.discard(numbers[index]);
    held.clear(index);
  }

  @Override
  public void retarget(int index, int cpu) {
    states.change(
        index,
        () -> {
          states.checkActive(index);
          requireCpu(cpu);
          move(index, cpu);
        });
  }

  private void move(int index, int cpu) {
    if (cpu == cpu(index)) {
      return;
    }
    if (posted.get(index)) {
      throw new IllegalStateException(
          "vector %d of %s is posted to a guest, whose descriptor says which CPU is notified"
              .formatted(index, source.name()));
    }
    if (bound && count() > 1) {
      throw new VectorsShareMessage(source, controller.id(), count(), cpu(index), cpu);
    }
    long last = controller.lastDestination();
    if (!driver.ledger.reaches(cpu, last)) {
      throw new DestinationOutOfReach(
          source,
          controller.id(),
          new DestinationOutOfReach.Reach(driver.apicId(cpu), cpu, last),
          driver.reach());
    }
    driver.take();
    settle(index);
    int next = driver.ledger.take(cpu);
    if (next == VectorLedger.NONE) {
      throw new VectorsExhausted(
          source, "CPU %d by %s".formatted(cpu, controller.id()), 1, 0, LapicDriver.LIMIT);
    }
    change(index, next);
    if (entries.keepsMessage()) {
      // No further message raises the former vector; what had become pending there is taken now.
      driver.take();
      settle(index);
    }
  }

  @Override
  public void post(int index, PostedInterrupt to) {
    states.change(
        index,
        () -> {
          states.checkActive(index);
          if (controller.posting().isEmpty()) {
            throw new PostingUnsupported(source.name(), controller.id(), controller.postsNot());
          }
          entries.post(index, to);
          posted.set(index);
          // No further message raises the vector; what had become pending is taken now.
          driver.take();
          settle(index);
        });
  }

  @Override
  public void endPost(int index) {
    states.change(
        index,
        () -> {
          if (posted.get(index)) {
            entries.route(index, interrupt(places.get(index)));
            posted.clear(index);
          }
        });
  }

  /// Routes a vector to a new place, whose vector is taken. The former one stays valid.
  private void change(int index, int next) {
    int before = places.get(index);
    driver.numbers().put(next, numbers[index]);
    places.set(index, next);
    try {
      entries.route(index, interrupt(next));
    } catch (RuntimeException failed) {
      places.set(index, before);
      release(next);
      throw failed;
    }
    former[index] = before;
  }

  private X86Interrupt interrupt(int place) {
    return new X86Interrupt(
        VectorLedger.vector(place),
        driver.apicId(VectorLedger.cpu(place)),
        false,
        X86CommandLayout.FIXED,
        driver.isX2Apic());
  }

  /// Gives a former place back.
  private void settle(int index) {
    if (former[index] != VectorLedger.NONE) {
      release(former[index]);
      former[index] = VectorLedger.NONE;
    }
  }

  private void release(int place) {
    driver.numbers().put(place, VectorLedger.NONE);
    driver.ledger.giveBack(place);
  }

  private void requireCpu(int cpu) {
    if (cpu < 0 || cpu >= driver.cpus()) {
      throw new IllegalArgumentException(
          "%s has no CPU %d; it has %d".formatted(controller.id(), cpu, driver.cpus()));
    }
  }

  @Override
  protected void setMasked(int index, boolean mask) {
    if (mask) {
      // What arrived before is told.
      driver.take();
      states.setMasked(index, true);
      return;
    }
    states.setMasked(index, false);
    if (held.get(index)) {
      held.clear(index);
      controller.ready(numbers[index], cpu(index));
    }
  }

  /// Takes an interrupt in. The caller holds the driver's lock.
  void arrived(int index, int place) {
    if (!states.isActive(index)) {
      return;
    }
    if (place == places.get(index)) {
      settle(index);
    }
    if (states.isMasked(index)) {
      held.set(index);
    } else {
      controller.ready(number(index), VectorLedger.cpu(place));
    }
  }

  @Override
  protected void giveBack() {
    for (int i = 0; i < count(); i++) {
      stop(i);
    }
    entries.free();
    for (int i = 0; i < count(); i++) {
      release(places.get(i));
      driver.numbers().giveBack(numbers[i]);
    }
  }
}
