package dev.doorbell.hw.papr;

import dev.doorbell.irq.DrivenVectors;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.pci.MessageTable;

/// Interrupts that the hypervisor gave one function, with the messages that it composed for them.
final class PaprVectors extends DrivenVectors {
  private final PaprMsiDriver driver;
  private final int rid;
  private final int[] numbers;
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
    super(driver, source, driver.lock, numbers.length);
    this.driver = driver;
    this.numbers = numbers;
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
  public int intid(int index) {
    return numbers[index];
  }

  @Override
  public void activate(int index, int cpu) {
    states.change(
        index,
        () -> {
          if (!states.isActive(index)) {
            driver.on(numbers[index], cpu, states.isMasked(index));
            states.setActive(index, true);
            states.setCpu(index, cpu);
          }
        });
  }

  @Override
  protected void stop(int index) {
    if (states.isActive(index)) {
      driver.off(numbers[index]);
      states.setActive(index, false);
    }
  }

  @Override
  public void retarget(int index, int cpu) {
    states.change(
        index,
        () -> {
          states.checkActive(index);
          driver.move(numbers[index], cpu);
          states.setCpu(index, cpu);
        });
  }

  @Override
  protected void setMasked(int index, boolean mask) {
    if (states.isActive(index)) {
      driver.mask(numbers[index], mask);
    }
    states.setMasked(index, mask);
  }

  @Override
  protected void giveBack() {
    for (int i = 0; i < numbers.length; i++) {
      stop(i);
    }
    driver.giveBack(rid, numbers);
    // The hypervisor had programmed the function, which is off now, whoever asked for it.
    before.restore();
  }
}
