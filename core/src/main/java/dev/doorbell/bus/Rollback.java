package dev.doorbell.bus;

import java.util.ArrayDeque;
import java.util.Deque;

/// Steps that are taken back, last first, unless the work is committed. For use in a try-with-resources block around work
/// whose hardware writes may fail:
///
/// ```java
/// try (Rollback rollback = new Rollback()) {
///   space.map(...);
///   rollback.add(() -> space.unmap(...));
///   controller.allocate(...);
///   rollback.commit();
/// }
/// ```
///
/// A step that fails does not keep the others from running; its exception is added to the one that caused the rollback.
/// For one thread.
public final class Rollback implements AutoCloseable {
  private final Deque<Runnable> steps = new ArrayDeque<>();

  /// Remembers how to take back what was just done.
  public void add(Runnable step) {
    steps.push(step);
  }

  /// Keeps what was done.
  public void commit() {
    steps.clear();
  }

  /// Takes back what was not committed because of a failure, which goes on its way: what fails here is suppressed in it. For work whose steps
  /// outlive it when it succeeds, where a try-with-resources block does not fit.
  public void closeAfter(Throwable failure) {
    try {
      close();
    } catch (IllegalStateException notTakenBack) {
      failure.addSuppressed(notTakenBack);
    }
  }

  /// Takes back what was not committed.
  ///
  /// @throws IllegalStateException when steps failed; each one's exception is suppressed in it
  @Override
  public void close() {
    IllegalStateException failed = null;
    while (!steps.isEmpty()) {
      Runnable step = steps.pop();
      try {
        step.run();
      } catch (RuntimeException | Error e) {
        if (failed == null) {
          failed = new IllegalStateException("could not take back every step of a failed change");
        }
        failed.addSuppressed(e);
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
