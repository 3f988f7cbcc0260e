package dev.doorbell.diff;

/// A step is none that the machines can perform.
final class BadStep extends DiffException {
  private static final long serialVersionUID = 1L;

  private final int at;
  private final String why;

  /// @param at which step of its scenario, from 0
  BadStep(int at, Step step, RuntimeException cause) {
    super("step %d, `%s`: %s".formatted(at, Script.line(step), cause.getMessage()));
    this.at = at;
    why = String.valueOf(cause.getMessage());
    initCause(cause);
  }

  int at() {
    return at;
  }

  String why() {
    return why;
  }
}
