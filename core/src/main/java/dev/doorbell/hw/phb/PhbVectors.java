package dev.doorbell.hw.phb;

import dev.doorbell.irq.DrivenVectors;
import dev.doorbell.irq.MsiSource;

/// Vectors of one function: interrupts of its bridge. An interrupt's number is in the address and in the datum of its message.
final class PhbVectors extends DrivenVectors {
  private final PhbMsiDriver driver;
  private final int[] numbers;
  private final boolean low;

  /// How many were given back.
  private int given;

  PhbVectors(PhbMsiDriver driver, MsiSource source, int[] numbers, boolean low) {
    super(driver, source, driver.lock, numbers.length);
    this.driver = driver;
    this.numbers = numbers;
    this.low = low;
  }

  @Override
  public long doorbell(int index) {
    return low
        ? PhbMessageLayout.address32(numbers[index])
        : PhbMessageLayout.address64(numbers[index]);
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
  protected void stop(int index) {
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
  protected void setMasked(int index, boolean mask) {
    if (states.isActive(index) && mask) {
      driver.mask(numbers[index]);
    } else if (states.isActive(index)) {
      driver.unmask(numbers[index]);
    }
    states.setMasked(index, mask);
  }

  @Override
  protected void giveBack() {
    for (int i = 0; i < numbers.length; i++) {
      stop(i);
    }
    // What was given back may be another function's by the time that a release is tried again.
    while (given < numbers.length) {
      driver.giveBack(numbers[given]);
      given++;
    }
  }
}
