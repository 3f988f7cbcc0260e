package dev.doorbell.cli;

/// Base of what ends a command early.
abstract class CliException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final String type;
  private final String advice;

  CliException(String type, String message, String advice) {
    super(message);
    this.type = type;
    this.advice = advice;
  }

  String type() {
    return type;
  }

  String advice() {
    return advice;
  }
}
