package dev.doorbell.cli;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// How a command that goes on is told to end: by Ctrl-C (or another signal that ends a process), or after some time. The command ends in good order,
/// and the process keeps its exit status.
///
/// Safe for use from many threads.
final class Ending {
  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch done = new CountDownLatch(1);
  private final boolean ofProcess;
  private volatile int status = ExitStatus.INTERNAL.code();

  private Ending(boolean ofProcess) {
    this.ofProcess = ofProcess;
  }

  /// {@return the ending of this process, which signals bring about}
  static Ending ofProcess() {
    return new Ending(true);
  }

  /// {@return an ending that comes when {@link #ask} is called, and by no signal}
  static Ending byHand() {
    return new Ending(false);
  }

  /// From now on a signal ends the command instead of the process. The process waits for {@link #done}.
  void takeSignals() {
    if (ofProcess) {
      Runtime.getRuntime().addShutdownHook(new Thread(this::endInOrder, "doorbell end"));
    }
  }

  private void endInOrder() {
    asked.countDown();
    awaitDone();
    // A signal's own status would say nothing of what the command found.
    Runtime.getRuntime().halt(status);
  }

  /// Interrupts of this thread mean nothing: the process ends with it.
  private void awaitDone() {
    while (done.getCount() > 0) {
      try {
        done.await();
      } catch (InterruptedException e) {
        Thread.onSpinWait();
      }
    }
  }

  /// The command has printed everything.
  void done(int exitStatus) {
    status = exitStatus;
    done.countDown();
  }

  /// Asks the command to end.
  void ask() {
    asked.countDown();
  }

  /// Asks the command to end after some time.
  void askAfter(Duration time) {
    CompletableFuture.delayedExecutor(time.toMillis(), TimeUnit.MILLISECONDS).execute(this::ask);
  }

  boolean isAsked() {
    return asked.getCount() == 0;
  }

  /// Waits until the command is to end.
  void awaitAsked() {
    try {
      asked.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// {@return whether the command is to end, after some time at most}
  boolean await(Duration time) {
    try {
      return asked.await(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }
}
