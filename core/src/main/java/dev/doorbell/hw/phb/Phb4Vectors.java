package dev.doorbell.hw.phb;

import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorStates;

/// Vectors of one function: interrupts of its bridge. An interrupt's number is in the address and in the datum of its message.
final class Phb4Vectors implements VectorBlock {
  private final Phb4MsiDriver driver;
  private final int[] numbers;
  private final VectorStates states;

  Phb4Vectors(Phb4MsiDriver driver, MsiSource source, int[] numbers) {
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
    return PhbMessageLayout.address64(numbers[index]);
  }

  @Override
  public int data(int index) {
    return PhbMessageLayout.data(numbers[index]);
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
          if (!states.isActive(index)) {
            driver.activate(numbers[index], cpu, states.isMasked(index));
            states.setActive(index, true);
            states.setCpu(index, cpu);
          }
        });
  }

  @Override
  public void deactivate(int index) {
    states.change(index, () -> stop(index));
  }

  private void stop(int index) {
    if (states.isActive(index)) {
      driver.deactivate(numbers[index]);
      states.setActive(index, false);
    }
  }

  @Override
  public void retarget(int index, int cpu) {
    states.change(
        index,
        () -> {
          states.checkActive(index);
          driver.retarget(numbers[index], cpu);
          states.setCpu(index, cpu);
        });
  }

  @Override
  public void mask(int index) {
    states.change(
        index,
        () -> {
          if (states.isActive(index)) {
            driver.mask(numbers[index]);
          }
          states.setMasked(index, true);
        });
  }

  @Override
  public void unmask(int index) {
    states.change(
        index,
        () -> {
          if (states.isActive(index)) {
            driver.unmask(numbers[index]);
          }
          states.setMasked(index, false);
        });
  }

  @Override
  public void free() {
    states.free(() -> {
      for (int i = 0; i < numbers.length; i++) {
        stop(i);
      }
      for (int n : numbers) {
        driver.giveBack(n);
      }
    });
  }
}
