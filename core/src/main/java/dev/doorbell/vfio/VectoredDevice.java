package dev.doorbell.vfio;

import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What is the same of an open function's vectors, whoever's kernel drives it: one type at a time, one thread at a time, and nothing
/// once it is closed.
public abstract class VectoredDevice implements Device {
  /// Held by every change of the function.
  protected final ReentrantLock lock = new ReentrantLock();

  private @Nullable EnabledVectors vectors;
  private boolean closed;

  protected VectoredDevice() {}

  /// {@return new vectors, from 0 up, one for each trigger or as many as can be had} None of the function's are enabled, and its lock is held.
  ///
  /// @throws RuntimeException as {@link Device#enable} does; nothing is left of them then
  protected abstract EnabledVectors take(IrqType type, int min, List<? extends Trigger> triggers);

  /// {@return what says that vectors of this type are taken together; empty when one can come or go alone}
  protected abstract Optional<Source> fixed(IrqType type);

  /// {@return vectors of this type that the function has}
  protected abstract int count(IrqType type);

  @Override
  public int enable(IrqType type, int min, List<? extends Trigger> triggers) {
    requireEnough(min, triggers);
    lock.lock();
    try {
      requireOpen();
      EnabledVectors before = vectors;
      if (before != null) {
        throw new InUse(
            "enable %s vectors of %s".formatted(type, function()),
            function().toString(),
            "its %s vectors".formatted(before.type()));
      }
      EnabledVectors taken = take(type, min, triggers);
      vectors = taken;
      return taken.count();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void disable() {
    lock.lock();
    try {
      EnabledVectors v = vectors;
      if (v != null) {
        v.release();
        vectors = null;
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void add(int vector, Trigger trigger) {
    lock.lock();
    try {
      EnabledVectors v = enabled();
      if (v.has(vector)) {
        v.lead(vector, trigger);
        return;
      }
      requireResizable(v.type());
      if (vector < 0 || vector >= count(v.type())) {
        throw new IllegalArgumentException(
            "%s has %d vectors, not one numbered %d"
                .formatted(function(), count(v.type()), vector));
      }
      v.add(vector, trigger);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<Trigger> trigger(int vector) {
    lock.lock();
    try {
      EnabledVectors v = vectors;
      return v == null ? Optional.empty() : v.trigger(vector);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void remove(int vector) {
    lock.lock();
    try {
      EnabledVectors v = enabled();
      requireResizable(v.type());
      v.remove(vector);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void mask(int vector, boolean masked) {
    lock.lock();
    try {
      enabled().mask(vector, masked);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void loopback(int vector) {
    lock.lock();
    try {
      enabled().loopback(vector);
    } finally {
      lock.unlock();
    }
  }

  /// {@return the vectors that are enabled; the lock is held}
  protected final Optional<EnabledVectors> vectors() {
    return Optional.ofNullable(vectors);
  }

  protected final boolean isClosed() {
    return closed;
  }

  /// Closes the device to its user, with its lock held.
  ///
  /// {@return vectors that are still enabled, the caller's to release}
  protected final Optional<EnabledVectors> leave() {
    Optional<EnabledVectors> left = vectors();
    closed = true;
    vectors = null;
    return left;
  }

  /// @throws IllegalArgumentException when there are fewer triggers than vectors that are asked for
  protected final void requireEnough(int min, List<? extends Trigger> triggers) {
    if (min < 1 || triggers.size() < min) {
      throw new IllegalArgumentException(
          "%d triggers for at least %d vectors of %s".formatted(triggers.size(), min, function()));
    }
  }

  protected final void requireOpen() {
    if (closed) {
      throw new IllegalStateException(function() + " is closed");
    }
  }

  private EnabledVectors enabled() {
    requireOpen();
    EnabledVectors v = vectors;
    if (v == null) {
      throw new IllegalArgumentException(function() + " has no vectors enabled");
    }
    return v;
  }

  private void requireResizable(IrqType type) {
    Optional<Source> why = fixed(type);
    if (why.isPresent()) {
      throw new VectorsFixed(function(), type, why.get());
    }
  }
}
