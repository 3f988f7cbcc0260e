package dev.doorbell.hw.mpic;

import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorStates;

/// Vectors of one device: interrupts of a bank.
final class MpicMsiVectors implements VectorBlock {
  private final MpicMsiDriver driver;
  private final int[] numbers;
  private final VectorStates states;

  MpicMsiVectors(MpicMsiDriver driver, MsiSource source, int[] numbers) {
    this.driver = driver;
    this.numbers = numbers;
    states = new VectorStates(source.name(), driver, driver.lock, numbers.length);
  }

  @Override
  public MsiController controller() {
    return driver;
  }

  @Override
  public int count() {
    return numbers.length;
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
  public int cpu(int index) {
    return states.cpu(index);
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
  public void deactivate(int index) {
    states.change(index, () -> stop(index));
  }

  private void stop(int index) {
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
  public void mask(int index) {
    states.change(index, () -> setMasked(index, true));
  }

  @Override
  public void unmask(int index) {
    states.change(index, () -> setMasked(index, false));
  }

  private void setMasked(int index, boolean mask) {
    if (states.isActive(index)) {
      driver.masked.set(numbers[index], mask);
    }
    states.setMasked(index, mask);
  }

  @Override
  public void free() {
    states.free(() -> {
      for (int i = 0; i < numbers.length; i++) {
        stop(i);
      }
      for (int n : numbers) {
        driver.masked.clear(n);
        driver.giveBack(n);
      }
    });
  }
}
