package dev.doorbell.vfio;

import java.util.concurrent.atomic.AtomicLong;

/// A trigger that counts, as an eventfd does. Safe for use from many threads.
public final class EventCounter implements Trigger {
  private final AtomicLong count = new AtomicLong();

  @Override
  public void signalled() {
    count.incrementAndGet();
  }

  /// {@return signals that nobody has taken}
  public long count() {
    return count.get();
  }

  /// {@return signals since it was last asked, now taken}
  public long take() {
    return count.getAndSet(0);
  }
}
