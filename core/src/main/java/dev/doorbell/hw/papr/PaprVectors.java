package dev.doorbell.hw.papr;

import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.NumberedVectors;
import dev.doorbell.irq.VectorStates;
import dev.doorbell.pci.MessageTable;

/// Interrupts that the hypervisor gave one function, with the messages that it composed for them.
final class PaprVectors extends NumberedVectors {
  private final PaprMsiDriver driver;
  private final int rid;
  private final long[] addresses;
  private final int[] data;
  private final MessageTable.Saved before;

  /// @param before what the function held before it was given them
  PaprVectors(
      PaprMsiDriver driver,
      MsiSource source,
      int[] numbers,
      MessageTable table,
      MessageTable.Saved before) {
    super(driver, new VectorStates(source.name(), driver, driver.lock, numbers.length), numbers);
    this.driver = driver;
    this.before = before;
    rid = source.deviceId();
    addresses = new long[numbers.length];
    data = new int[numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      addresses[i] = table.address(i);
      data[i] = table.data(i);
    }
  }

  @Override
  public long doorbell(int index) {
    return addresses[index];
  }

  @Override
  public int data(int index) {
    return data[index];
  }

  @Override
  protected void on(int number, int cpu, boolean masked) {
    driver.on(number, cpu, masked);
  }

  @Override
  protected void off(int number) {
    driver.off(number);
  }

  @Override
  protected void move(int number, int cpu) {
    driver.move(number, cpu);
  }

  @Override
  protected void hold(int number, boolean held) {
    driver.mask(number, held);
  }

  @Override
  protected void takeBack() {
    driver.takeBack(rid);
    // The hypervisor had programmed the function, which is off now, whoever asked for it.
    before.restore();
  }

  @Override
  protected void giveBack(int number) {
    driver.giveBack(number);
  }
}
