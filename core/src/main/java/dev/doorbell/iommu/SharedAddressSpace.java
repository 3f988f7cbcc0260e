package dev.doorbell.iommu;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Translation tables that several IOMMUs of one kind may walk: one change at a time, and a count of who leads streams here.
///
/// What is abstract is called with the lock held. Safe for use from many threads.
///
/// @param <I> the driver of an IOMMU
public abstract class SharedAddressSpace<I> implements AddressSpace {
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<I, Integer> users = new HashMap<>();
  private boolean closed;

  /// Maps; a mapping that is taken back half-way is dropped by all of {@link #users}.
  protected abstract void change(Iova iova, Pa pa, long bytes, Protection protection);

  /// Unmaps, and has all of {@link #users} drop what they hold of it.
  ///
  /// {@return bytes that were mapped}
  protected abstract long remove(Iova iova, long bytes);

  /// {@return what the tables say for an address}
  protected abstract Optional<Pa> look(Iova iova);

  /// Gives the tables and their numbers back; nobody uses them.
  protected abstract void release();

  /// {@return how an IOMMU is called in a refusal}
  protected abstract String name(I iommu);

  /// Counts a stream of an IOMMU in, before its entry leads here.
  ///
  /// @throws IllegalArgumentException when closed
  public final void enter(I iommu) {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalArgumentException(this + " is closed");
      }
      users.merge(iommu, 1, Integer::sum);
    } finally {
      lock.unlock();
    }
  }

  /// Counts a stream out, after its entry leads elsewhere and, for the last one of an IOMMU, after that IOMMU dropped the translations.
  public final void leave(I iommu) {
    lock.lock();
    try {
      users.computeIfPresent(iommu, (_, count) -> count == 1 ? null : count - 1);
    } finally {
      lock.unlock();
    }
  }

  /// Changes what is no mapping and goes with the tables, while nobody maps, unmaps, enters or leaves.
  protected final void exclusively(Runnable change) {
    lock.lock();
    try {
      change.run();
    } finally {
      lock.unlock();
    }
  }

  /// {@return the IOMMUs that have streams here; the lock is held}
  protected final List<I> users() {
    return List.copyOf(users.keySet());
  }

  /// {@return whether the tables were given back; the lock is held}
  protected final boolean isClosed() {
    return closed;
  }

  @Override
  public final void map(Iova iova, Pa pa, long bytes, Protection protection) {
    lock.lock();
    try {
      change(iova, pa, bytes, protection);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public final long unmap(Iova iova, long bytes) {
    lock.lock();
    try {
      return remove(iova, bytes);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public final Optional<Pa> translate(Iova iova) {
    lock.lock();
    try {
      return look(iova);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public final void close() {
    lock.lock();
    try {
      if (!users.isEmpty()) {
        throw new IllegalStateException(
            "%s still has streams of %s; block them first"
                .formatted(this, users.keySet().stream().map(this::name).sorted().toList()));
      }
      if (!closed) {
        closed = true;
        release();
      }
    } finally {
      lock.unlock();
    }
  }
}
