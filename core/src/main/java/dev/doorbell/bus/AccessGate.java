package dev.doorbell.bus;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;

/// Knows which threads have an access in flight through an IOMMU model, so that the completion of an invalidation can wait for those that
/// began before it.
///
/// A thread claims a slot while it is inside; claims nest. Nothing is shared between threads that hold different slots
/// (each lies on cache lines of its own), and nothing is allocated. A claim and the later reads of cached translations are
/// ordered against {@link #drain}: either the access sees the invalidation, or the drain sees the access.
public final class AccessGate {
  /// Slots; more threads than that at once wait for one another.
  public static final int SLOTS = 64;

  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int STRIDE = 16;
  private static final int OWNER = 0;
  private static final int PASSES = 1;
  private static final int PARKED = 2;
  private static final int DEPTH = 3;
  private static final int HASH = 0x9E3779B1;

  /// Claims outside their thread's first slot: while there is none, nobody searches.
  private final AtomicInteger displaced = new AtomicInteger();

  private final long[] slots = new long[(SLOTS + 1) * STRIDE];

  /// {@return the slot that the current thread now holds, once more than before}
  public int enter() {
    long me = Thread.currentThread().threadId();
    int home = hash(me);
    if ((long) LONGS.getOpaque(slots, at(home) + OWNER) == me) {
      return again(home);
    }
    if (displaced.get() != 0) {
      int held = find(me);
      if (held >= 0) {
        return again(held);
      }
    }
    for (int i = 0; ; i++) {
      int slot = (home + i) & (SLOTS - 1);
      if (LONGS.compareAndSet(slots, at(slot) + OWNER, 0L, me)) {
        slots[at(slot) + DEPTH] = 1;
        if (slot != home) {
          displaced.incrementAndGet();
        }
        keepLaterReadsLater(slot);
        return slot;
      }
      Thread.onSpinWait();
    }
  }

  /// {@return whether this was the thread's outermost claim}
  public boolean leave(int slot) {
    int at = at(slot);
    if (--slots[at + DEPTH] > 0) {
      return false;
    }
    if (slot != hash((long) LONGS.getOpaque(slots, at + OWNER))) {
      displaced.decrementAndGet();
    }
    LONGS.setOpaque(slots, at + PASSES, slots[at + PASSES] + 1);
    LONGS.setRelease(slots, at + OWNER, 0L);
    return true;
  }

  /// Ends the claim that the current thread made last.
  ///
  /// {@return whether this was the thread's outermost claim}
  ///
  /// @throws IllegalStateException when the thread has none
  public boolean leave() {
    int held = held();
    if (held < 0) {
      throw new IllegalStateException("an access ends that did not begin in this thread");
    }
    return leave(held);
  }

  /// {@return the current thread's slot, or -1}
  public int held() {
    return find(Thread.currentThread().threadId());
  }

  /// Tells that the thread's access has arrived where it went: it is now inside a handler that talks to this device, and a
  /// drain must not wait for it.
  public void park(int slot) {
    LONGS.setVolatile(slots, at(slot) + PARKED, slots[at(slot) + PARKED] + 1);
  }

  /// Takes {@link #park} back.
  public void unpark(int slot) {
    LONGS.setRelease(slots, at(slot) + PARKED, slots[at(slot) + PARKED] - 1);
  }

  /// {@return the current thread's slot, parked while a handler of this device has the thread; -1 when it has none} Every handler that takes a
  /// lock under which others drain begins with it, reads too: an access in flight may be one of the device's own registers.
  public int arrive() {
    int held = held();
    if (held >= 0) {
      park(held);
    }
    return held;
  }

  /// Ends {@link #arrive}.
  ///
  /// @param held what that returned
  public void depart(int held) {
    if (held >= 0) {
      unpark(held);
    }
  }

  /// Returns when every access of another thread that was in flight at the call has ended.
  public void drain() {
    long me = Thread.currentThread().threadId();
    VarHandle.fullFence();
    for (int slot = 0; slot < SLOTS; slot++) {
      int at = at(slot);
      long passes = (long) LONGS.getAcquire(slots, at + PASSES);
      long owner = (long) LONGS.getVolatile(slots, at + OWNER);
      if (owner == 0 || owner == me) {
        continue;
      }
      for (int spins = 0;
          (long) LONGS.getAcquire(slots, at + OWNER) == owner
              && (long) LONGS.getAcquire(slots, at + PASSES) == passes
              && (long) LONGS.getVolatile(slots, at + PARKED) == 0;
          spins++) {
        if (spins < 64) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
    }
  }

  // A claim is a volatile write, which a plain read may pass on some processors; it does not pass a
  // volatile read.
  private void keepLaterReadsLater(int slot) {
    long _ = (long) LONGS.getVolatile(slots, at(slot) + OWNER);
  }

  private int again(int slot) {
    slots[at(slot) + DEPTH]++;
    return slot;
  }

  private int find(long me) {
    int start = hash(me);
    for (int i = 0; i < SLOTS; i++) {
      int slot = (start + i) & (SLOTS - 1);
      if ((long) LONGS.getOpaque(slots, at(slot) + OWNER) == me) {
        return slot;
      }
    }
    return -1;
  }

  private static int hash(long threadId) {
    return ((int) threadId * HASH) >>> (Integer.SIZE - 6);
  }

  private static int at(int slot) {
    return (slot + 1) * STRIDE;
  }
}
