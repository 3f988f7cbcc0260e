package dev.doorbell.vfio;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// A trigger that counts, as an eventfd does. Safe for use from many threads.
public final class EventCounter implements Trigger {
  /// Between two looks at what the host has to hand on.
  private static final long LOOK_MILLIS = 10;

  private static final Duration ALMOST_A_MILLI = Duration.ofNanos(999_999);

  private final AtomicLong count = new AtomicLong();
  // Wakes one who waits; permits left over from signals that were taken without waiting cost a look
  // each. A signal that finds a permit adds none: whoever takes that permit looks after the signal
  // was counted, and takes both. Others who wait find nothing then, as it should be.
  private final Semaphore wake = new Semaphore(0);

  @Override
  public void signalled() {
    count.incrementAndGet();
    if (wake.availablePermits() == 0) {
      wake.release();
    }
  }

  /// {@return signals that nobody has taken}
  public long count() {
    return count.get();
  }

  /// {@return signals since it was last asked, now taken}
  public long take() {
    return count.getAndSet(0);
  }

  /// Waits for a signal, and has the host hand on what arrives meanwhile.
  ///
  /// {@return signals since it was last asked, now taken; 0 when none came in time}
  ///
  /// @param patience rounded up to 10 ms
  public long await(Vfio host, Duration patience) throws InterruptedException {
    long looks = Math.ceilDiv(patience.plus(ALMOST_A_MILLI).toMillis(), LOOK_MILLIS);
    while (true) {
      host.deliver();
      long taken = take();
      if (taken > 0 || looks <= 0) {
        return taken;
      }
      if (!wake.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        looks--;
      }
    }
  }
}
