package dev.doorbell.hw.phb;

import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.NumberedVectors;
import dev.doorbell.irq.VectorStates;

/// Vectors of one function: interrupts of its bridge. An interrupt's number is in the address and in the datum of its message.
final class PhbVectors extends NumberedVectors {
  private final PhbMsiDriver driver;
  private final boolean low;

  PhbVectors(PhbMsiDriver driver, MsiSource source, int[] numbers, boolean low) {
    super(driver, new VectorStates(source.name(), driver, driver.lock, numbers.length), numbers);
    this.driver = driver;
    this.low = low;
  }

  @Override
  public long doorbell(int index) {
    return low
        ? PhbMessageLayout.address32(intid(index))
        : PhbMessageLayout.address64(intid(index));
  }

  @Override
  public int data(int index) {
    return PhbMessageLayout.data(intid(index));
  }

  @Override
  protected void on(int number, int cpu, boolean masked) {
    driver.activate(number, cpu, masked);
  }

  @Override
  protected void off(int number) {
    driver.deactivate(number);
  }

  @Override
  protected void move(int number, int cpu) {
    driver.retarget(number, cpu);
  }

  @Override
  protected void hold(int number, boolean held) {
    if (held) {
      driver.mask(number);
    } else {
      driver.unmask(number);
    }
  }

  @Override
  protected void giveBack(int number) {
    driver.giveBack(number);
  }
}
