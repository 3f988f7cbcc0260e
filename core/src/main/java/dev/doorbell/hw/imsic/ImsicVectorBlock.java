package dev.doorbell.hw.imsic;

import dev.doorbell.irq.DrivenVectors;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.irq.VectorsShareMessage;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// Vectors of one device: for each a place, an identity at a CPU. One that moves has two until it is settled.
final class ImsicVectorBlock extends DrivenVectors {
  private final ImsicDriver driver;
  private final MsiSource source;
  private final boolean bound;
  private final AtomicIntegerArray places;

  /// Where a vector was before it was moved, while its function may still send there.
  private final int[] former;

  private final int[] numbers;

  /// @param bound whether all must stay on one CPU, since they share an address
  ImsicVectorBlock(ImsicDriver driver, MsiSource source, int[] places, boolean bound) {
    super(driver, source, driver.lock, places.length);
    this.driver = driver;
    this.source = source;
    this.bound = bound;
    this.places = new AtomicIntegerArray(places);
    this.former = new int[places.length];
    this.numbers = new int[places.length];
    for (int i = 0; i < places.length; i++) {
      former[i] = IdentityLedger.NONE;
      numbers[i] = driver.takeNumber();
      driver.own(places[i], this, numbers[i]);
    }
  }

  @Override
  public long doorbell(int index) {
    return driver.doorbell(places.get(index));
  }

  @Override
  public int data(int index) {
    return intid(index);
  }

  @Override
  public int intid(int index) {
    return driver.ledger.identity(places.get(index));
  }

  @Override
  public int number(int index) {
    return numbers[index];
  }

  @Override
  public int cpu(int index) {
    return driver.ledger.cpu(places.get(index));
  }

  @Override
  public void activate(int index, int cpu) {
    states.change(
        index,
        () -> {
          move(index, cpu);
          if (!states.isActive(index)) {
            start(places.get(index), index);
            states.setActive(index, true);
          }
          settle(index, false);
        });
  }

  /// What is pending from before was meant for somebody else.
  private void start(int place, int index) {
    driver.setPending(place, false);
    driver.enable(place, !states.isMasked(index));
  }

  @Override
  protected void stop(int index) {
    settle(index, false);
    driver.enable(places.get(index), false);
    driver.setPending(places.get(index), false);
    states.setActive(index, false);
  }

  @Override
  public void retarget(int index, int cpu) {
    states.change(
        index,
        () -> {
          states.checkActive(index);
          move(index, cpu);
        });
  }

  /// Takes a place at another CPU. The former one goes on taking messages, and is where a move back leads.
  private void move(int index, int cpu) {
    if (cpu < 0 || cpu >= driver.ledger.cpus()) {
      throw new IllegalArgumentException(
          "%s has no CPU %d; it has %d".formatted(driver.id(), cpu, driver.ledger.cpus()));
    }
    if (cpu == cpu(index)) {
      return;
    }
    if (bound && count() > 1) {
      throw new VectorsShareMessage(source, driver.id(), count(), cpu(index), cpu);
    }
    int before = former[index];
    if (before != IdentityLedger.NONE && driver.ledger.cpu(before) == cpu) {
      former[index] = places.get(index);
      places.set(index, before);
      return;
    }
    settle(index, true);
    int next = driver.ledger.take(cpu);
    if (next == IdentityLedger.NONE) {
      throw new VectorsExhausted(
          source, "CPU %d of %s".formatted(cpu, driver.id()), 1, 0, driver.hardware().source());
    }
    driver.own(next, this, numbers[index]);
    if (states.isActive(index)) {
      start(next, index);
    }
    former[index] = places.get(index);
    places.set(index, next);
  }

  @Override
  public void finishMove(int index) {
    states.change(index, () -> settle(index, true));
  }

  /// @param moves whether what is pending at the former place becomes pending at the present one
  private void settle(int index, boolean moves) {
    int before = former[index];
    if (before == IdentityLedger.NONE) {
      return;
    }
    driver.enable(before, false);
    if (moves && driver.isPending(before)) {
      driver.setPending(places.get(index), true);
    }
    driver.release(before);
    former[index] = IdentityLedger.NONE;
  }

  @Override
  protected void setMasked(int index, boolean mask) {
    if (states.isActive(index)) {
      driver.enable(places.get(index), !mask);
      if (former[index] != IdentityLedger.NONE) {
        driver.enable(former[index], !mask);
      }
    }
    states.setMasked(index, mask);
  }

  @Override
  protected void giveBack() {
    for (int i = 0; i < count(); i++) {
      stop(i);
    }
    for (int i = 0; i < count(); i++) {
      driver.release(places.get(i));
      driver.giveBackNumber(numbers[i]);
    }
  }
}
