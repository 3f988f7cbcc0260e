package dev.doorbell.cli;

/// What the command's exit status tells a script.
public enum ExitStatus {
  /// Yes, or it works.
  YES(0),
  /// No: a verdict or a refusal.
  NO(1),
  /// Arguments or input that cannot be used.
  UNUSABLE(2),
  /// Doorbell itself failed.
  INTERNAL(3);

  private final int code;

  ExitStatus(int code) {
    this.code = code;
  }

  /// {@return the number that the process ends with}
  public int code() {
    return code;
  }
}
