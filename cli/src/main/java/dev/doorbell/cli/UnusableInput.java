package dev.doorbell.cli;

/// Arguments or input that cannot be used: exit status 2.
final class UnusableInput extends CliException {
  private static final long serialVersionUID = 1L;

  /// @param type which class of input, for scripts
  UnusableInput(String type, String message, String advice) {
    super(type, message, advice);
  }
}
