package dev.doorbell.hw.mpic;

import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.NumberedVectors;
import dev.doorbell.irq.VectorStates;

/// Vectors of one device: interrupts of a bank.
final class MpicMsiVectors extends NumberedVectors {
  private final MpicMsiDriver driver;

  MpicMsiVectors(MpicMsiDriver driver, MsiSource source, int[] numbers) {
    super(driver, new VectorStates(source.name(), driver, driver.lock, numbers.length), numbers);
    this.driver = driver;
  }

  @Override
  public long doorbell(int index) {
    return driver.doorbell();
  }

  @Override
  public int data(int index) {
    return intid(index);
  }

  @Override
  protected void on(int number, int cpu, boolean masked) {
    requireFirst(cpu);
    driver.on(number, masked);
  }

  @Override
  protected void move(int number, int cpu) {
    requireFirst(cpu);
  }

  private void requireFirst(int cpu) {
    if (cpu != 0) {
      throw new IllegalArgumentException(
          "%s sends to CPU 0 and not to %d".formatted(driver.id(), cpu));
    }
  }

  @Override
  protected void off(int number) {
    driver.off(number);
  }

  @Override
  protected void hold(int number, boolean held) {
    driver.hold(number, held);
  }

  @Override
  protected void giveBack(int number) {
    driver.giveBack(number);
  }
}
