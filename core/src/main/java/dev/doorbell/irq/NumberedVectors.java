package dev.doorbell.irq;

/// Vectors of one device that are interrupts of a controller, each by its number, which the driver turns on and off. What is abstract is called with the
/// lock held.
public abstract class NumberedVectors extends DrivenVectors {
  private final int[] numbers;

  /// How many were given back.
  private int given;

  /// @param states under the driver's lock, as many as numbers
  /// @param numbers by vector
  protected NumberedVectors(MsiController controller, VectorStates states, int[] numbers) {
    super(controller, states);
    this.numbers = numbers.clone();
  }

  /// Lets an interrupt happen at a CPU, or hold what comes while it is masked. What came before is dropped.
  protected abstract void on(int number, int cpu, boolean masked);

  /// Drops what comes for an interrupt from now on, and what has come.
  protected abstract void off(int number);

  /// Sends an interrupt that is on to another CPU.
  protected abstract void move(int number, int cpu);

  /// Holds an interrupt that is on back, or lets it through.
  protected abstract void hold(int number, boolean held);

  /// Gives an interrupt back that is off. One that was given back is not asked for again when a later one fails.
  protected abstract void giveBack(int number);

  @Override
  public final int intid(int index) {
    return numbers[index];
  }

  @Override
  public final void activate(int index, int cpu) {
    states.change(
        index,
        () -> {
          if (states.isActive(index)) {
            move(numbers[index], cpu);
          } else {
            on(numbers[index], cpu, states.isMasked(index));
            states.setActive(index, true);
          }
          states.setCpu(index, cpu);
        });
  }

  @Override
  protected final void stop(int index) {
    if (states.isActive(index)) {
      off(numbers[index]);
      states.setActive(index, false);
    }
  }

  @Override
  public final void retarget(int index, int cpu) {
    states.change(
        index,
        () -> {
          states.checkActive(index);
          move(numbers[index], cpu);
          states.setCpu(index, cpu);
        });
  }

  @Override
  protected final void setMasked(int index, boolean mask) {
    if (states.isActive(index)) {
      hold(numbers[index], mask);
    }
    states.setMasked(index, mask);
  }

  /// Takes all of them, which are off, from the hardware, where it has them all at once.
  protected void takeBack() {}

  @Override
  protected final void giveBack() {
    for (int i = 0; i < numbers.length; i++) {
      stop(i);
    }
    takeBack();
    // What was given back may be another function's by the time that a release is tried again.
    while (given < numbers.length) {
      giveBack(numbers[given]);
      given++;
    }
  }
}
