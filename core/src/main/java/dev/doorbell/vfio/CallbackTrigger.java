package dev.doorbell.vfio;

import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// A trigger that calls its listener on a virtual thread of its own, one call after another: whoever hands interrupts on goes on at once, and
/// the listener may block. Signals that come during a call are told together, by the next one. Safe for use from many threads.
public final class CallbackTrigger implements Trigger, AutoCloseable {
  /// Called with the number of signals since the last call, 1 or more.
  @FunctionalInterface
  public interface Listener {
    void signalled(long times);
  }

  private final Listener listener;
  private final AtomicLong count = new AtomicLong();
  // As many permits as there may be reasons to look; all of them are taken at each look.
  private final Semaphore wake = new Semaphore(0);
  private final AtomicReference<@Nullable RuntimeException> thrown = new AtomicReference<>();
  private final Thread thread;
  private volatile boolean closed;

  private CallbackTrigger(String name, Listener listener) {
    this.listener = listener;
    this.thread = Thread.ofVirtual().name(name).unstarted(this::run);
  }

  /// {@return a trigger whose listener is called from now on}
  ///
  /// @param name of the thread
  public static CallbackTrigger of(String name, Listener listener) {
    CallbackTrigger t = new CallbackTrigger(name, listener);
    t.thread.start();
    return t;
  }

  @Override
  public void signalled() {
    count.incrementAndGet();
    if (wake.availablePermits() == 0) {
      wake.release();
    }
  }

  private void run() {
    boolean last;
    do {
      wake.acquireUninterruptibly();
      wake.drainPermits();
      last = closed;
      long times = count.getAndSet(0);
      if (times > 0) {
        try {
          listener.signalled(times);
        } catch (RuntimeException e) {
          thrown.compareAndSet(null, e);
        }
      }
    } while (!last);
  }

  /// Ends the thread, once the listener has been told of every signal that came before. No listener closes its own trigger.
  ///
  /// @throws IllegalStateException when the listener threw, the first time as its cause; it was called again all the same
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    wake.release();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    RuntimeException first = thrown.get();
    if (first != null) {
      throw new IllegalStateException(
          "the listener of %s threw; what it was told is lost to it".formatted(thread.getName()),
          first);
    }
  }
}
