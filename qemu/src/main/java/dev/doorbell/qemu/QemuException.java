package dev.doorbell.qemu;

import org.jspecify.annotations.Nullable;

/// Base of what can go wrong with QEMU. Whichever is thrown, {@link QemuRefused} alone excepted, QEMU has been ended.
public abstract class QemuException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final String advice;

  QemuException(String message, String advice, @Nullable Throwable cause) {
    super(message, cause);
    this.advice = advice;
  }

  /// {@return what to do about it}
  public String advice() {
    return advice;
  }
}
