package dev.doorbell.hw.pamu;

import dev.doorbell.bits.Register;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

/// The first of something that went wrong, until its status is cleared: status and address are one thing, and who sees the one sees the other.
final class PamuViolations {
  private record Seen(long status, long address) {}

  private final Register register;
  private final long present;
  private final AtomicReference<Seen> first = new AtomicReference<>(new Seen(0, 0));

  /// @param register of the status
  /// @param present its bit that says that there is one
  PamuViolations(Register register, long present) {
    this.register = register;
    this.present = present;
  }

  long status() {
    return Objects.requireNonNull(first.get()).status();
  }

  long address() {
    return Objects.requireNonNull(first.get()).address();
  }

  /// {@return whether it was recorded}
  boolean record(long status, long address) {
    Seen before = Objects.requireNonNull(first.get());
    return (before.status() & present) == 0
        && first.compareAndSet(before, new Seen(status | present, address));
  }

  void written(long value) {
    first.updateAndGet(s -> new Seen(register.legalize(s.status(), value), s.address()));
  }
}
