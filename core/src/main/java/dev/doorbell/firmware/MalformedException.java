package dev.doorbell.firmware;

import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Source;

/// Bytes that do not make sense as what they should be. Caught inside this room, where it becomes an oddity.
final class MalformedException extends FirmwareException {
  private static final long serialVersionUID = 1L;

  private final transient Source source;

  MalformedException(String message, Source source) {
    super(message);
    this.source = source;
  }

  Oddity oddity() {
    return new Oddity(getMessage() == null ? "malformed" : getMessage(), source);
  }
}
