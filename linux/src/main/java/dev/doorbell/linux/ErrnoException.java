package dev.doorbell.linux;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;

/// The kernel refused a call.
public final class ErrnoException extends LinuxException {
  private static final long serialVersionUID = 1L;
  private final String operation;
  private final String target;
  private final transient Errno errno;

  /// @param operation the call, such as `open` or `VFIO_GROUP_SET_CONTAINER`
  /// @param target what it was made on
  /// @param because the reason in our words
  public ErrnoException(String operation, String target, Errno errno, Because because) {
    super(
        new Refusal(
            "ErrnoException",
            "%s of %s: %s (%s, %d)"
                .formatted(operation, target, because.reason(), errno.name(), errno.number()),
            because.needed(),
            because.available(),
            List.of(target),
            Source.rule("Linux " + operation),
            because.advice()));
    this.operation = operation;
    this.target = target;
    this.errno = errno;
  }

  public String operation() {
    return operation;
  }

  public String target() {
    return target;
  }

  public Errno errno() {
    return errno;
  }
}
