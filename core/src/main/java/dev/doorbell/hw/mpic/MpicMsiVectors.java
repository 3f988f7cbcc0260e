package dev.doorbell.hw.mpic;

import dev.doorbell.irq.DrivenVectors;
import dev.doorbell.irq.MsiSource;

/// Vectors of one device: interrupts of a bank.
final class MpicMsiVectors extends DrivenVectors {
  private final MpicMsiDriver driver;
  private final int[] numbers;

  MpicMsiVectors(MpicMsiDriver driver, MsiSource source, int[] numbers) {
    super(driver, source, driver.lock, numbers.length);
    this.driver = driver;
    this.numbers = numbers;
  }

  @Override
  public long doorbell(int index) {
    return driver.doorbell();
  }

  @Override
  public int data(int index) {
    return numbers[index];
  }

  @Override
  public int intid(int index) {
    return numbers[index];
  }

  @Override
  public void activate(int index, int cpu) {
    states.change(
        index,
        () -> {
          requireFirst(cpu);
          if (!states.isActive(index)) {
            driver.drain(numbers[index]);
            driver.active.set(numbers[index]);
            driver.masked.set(numbers[index], states.isMasked(index));
            states.setActive(index, true);
          }
        });
  }

  private void requireFirst(int cpu) {
    if (cpu != 0) {
      throw new IllegalArgumentException(
          "%s sends to CPU 0 and not to %d".formatted(driver.id(), cpu));
    }
  }

  @Override
  protected void stop(int index) {
    if (states.isActive(index)) {
      driver.active.clear(numbers[index]);
      driver.drain(numbers[index]);
      states.setActive(index, false);
    }
  }

  @Override
  public void retarget(int index, int cpu) {
    states.change(
        index,
        () -> {
          states.checkActive(index);
          requireFirst(cpu);
        });
  }

  @Override
  protected void setMasked(int index, boolean mask) {
    if (states.isActive(index)) {
      driver.masked.set(numbers[index], mask);
    }
    states.setMasked(index, mask);
  }

  @Override
  protected void giveBack() {
    for (int i = 0; i < numbers.length; i++) {
      stop(i);
    }
    for (int n : numbers) {
      driver.masked.clear(n);
      driver.giveBack(n);
    }
  }
}
