package dev.doorbell.irq;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.ReentrantLock;

/// What a controller's driver remembers of the vectors of one {@link VectorBlock}: which are active, masked, and routed to which CPU; and
/// whether they have been freed.
///
/// **Threads.** {@link #cpu} may be called from any thread and never blocks. All else runs within {@link #change} or {@link #free}, which
/// hold the driver's lock.
public final class VectorStates {
  private final String owner;
  private final MsiController controller;
  private final ReentrantLock lock;
  private final AtomicIntegerArray cpus;
  private final BitSet active = new BitSet();
  private final BitSet masked = new BitSet();
  private boolean freed;

  /// @param owner the device, for messages
  /// @param lock the driver's
  public VectorStates(String owner, MsiController controller, ReentrantLock lock, int count) {
    this.owner = owner;
    this.controller = controller;
    this.lock = lock;
    cpus = new AtomicIntegerArray(count);
  }

  public int count() {
    return cpus.length();
  }

  /// {@return the CPU that a vector is routed to}
  public int cpu(int index) {
    return cpus.get(index);
  }

  public void setCpu(int index, int cpu) {
    cpus.set(index, cpu);
  }

  public boolean isActive(int index) {
    return active.get(index);
  }

  public void setActive(int index, boolean on) {
    active.set(index, on);
  }

  public boolean isMasked(int index) {
    return masked.get(index);
  }

  public void setMasked(int index, boolean on) {
    masked.set(index, on);
  }

  /// Checks that a vector can be moved.
  ///
  /// @throws IllegalStateException when it is not active
  public void checkActive(int index) {
    checkActive(index, "moved");
  }

  /// Checks that something can be done to a vector.
  ///
  /// @param what in the past participle
  /// @throws IllegalStateException when it is not active
  public void checkActive(int index, String what) {
    if (!active.get(index)) {
      throw new IllegalStateException(
          "vector %d of %s at %s is not active and cannot be %s"
              .formatted(index, owner, controller.id(), what));
    }
  }

  /// Changes a vector with the lock held.
  ///
  /// @throws IndexOutOfBoundsException when there is no such vector
  /// @throws IllegalStateException when the block has been freed
  public void change(int index, Runnable action) {
    if (index < 0 || index >= count()) {
      throw new IndexOutOfBoundsException(
          "%s has %d vectors and no vector %d".formatted(owner, count(), index));
    }
    lock.lock();
    try {
      if (freed) {
        throw new IllegalStateException(
            "vectors of " + owner + " at " + controller.id() + " have been freed");
      }
      action.run();
    } finally {
      lock.unlock();
    }
  }

  /// Frees the block with the lock held. Once; when the action fails the block counts as not freed.
  public void free(Runnable action) {
    lock.lock();
    try {
      if (!freed) {
        action.run();
        freed = true;
      }
    } finally {
      lock.unlock();
    }
  }
}
