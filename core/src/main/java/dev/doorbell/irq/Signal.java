package dev.doorbell.irq;

/// How a wire tells an interrupt controller of an interrupt.
public enum Signal {
  RISING(false, false),
  FALLING(true, false),
  HIGH(false, true),
  LOW(true, true);

  private final boolean low;
  private final boolean level;

  Signal(boolean low, boolean level) {
    this.low = low;
    this.level = level;
  }

  /// {@return the signal of a wire}
  ///
  /// @param low whether it is active when it is low
  /// @param level whether it interrupts as long as it is active, not when it becomes so
  public static Signal of(boolean low, boolean level) {
    if (level) {
      return low ? LOW : HIGH;
    }
    return low ? FALLING : RISING;
  }

  /// {@return whether the wire is active when it is low}
  public boolean isLow() {
    return low;
  }

  /// {@return whether it interrupts as long as the wire is active}
  public boolean isLevel() {
    return level;
  }
}
