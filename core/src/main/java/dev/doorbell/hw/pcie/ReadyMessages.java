package dev.doorbell.hw.pcie;

import dev.doorbell.pci.MsiLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/// The messages that a function may send at the moment, for whoever fires without its lock.
///
/// A vector that is off, masked, or not allowed to master the bus is not ready. Whoever fires asks for {@link #version}, then the address,
/// then the datum of that version: so that no mixture of an old and a new entry is ever sent. {@link #refresh} is for the function, under
/// its lock.
final class ReadyMessages {
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int MSI_VECTORS = 1 << (int) MsiLayout.MULTIPLE_ENABLE.max();
  private static final long NOT_READY = 0;
  private static final long READY = 1L << Integer.SIZE;

  // Address and datum of each vector; with the datum, whether it is ready.
  private final long[] words;
  // Odd while they change.
  private volatile long version;
  private boolean none = true;

  /// @param msixVectors size of the MSI-X table, 0 for none
  ReadyMessages(int msixVectors) {
    words = new long[2 * Math.max(msixVectors, MSI_VECTORS)];
  }

  /// {@return what {@link #datum} wants from before the address was read}
  long version() {
    return version;
  }

  /// {@return where a vector writes, if it is ready}
  long address(int vector) {
    return has(vector) ? (long) LONGS.getOpaque(words, 2 * vector) : 0;
  }

  /// {@return what a vector writes, in the low 32 bits, and whether it {@link #isReady}: not when anything has changed since, or was
  /// changing}
  ///
  /// @param begun the version before the address was read
  long datum(int vector, long begun) {
    if (!has(vector)) {
      return NOT_READY;
    }
    long there = (long) LONGS.getOpaque(words, 2 * vector + 1);
    VarHandle.loadLoadFence();
    return (begun & 1) == 0 && version == begun ? there : NOT_READY;
  }

  static boolean isReady(long datum) {
    return datum != NOT_READY;
  }

  private boolean has(int vector) {
    return vector >= 0 && vector < words.length / 2;
  }

  /// Takes over what the registers say.
  ///
  /// @param on the hardware whose messages are on; empty where there is none, or the function must not master the bus
  void refresh(Optional<MessageModel> on) {
    if (on.isEmpty() && none) {
      return;
    }
    turn();
    for (int v = 0; v < words.length / 2; v++) {
      set(on, v);
    }
    turn();
    none = on.isEmpty();
  }

  /// The same for one vector whose entry changed.
  void refresh(Optional<MessageModel> on, int vector) {
    turn();
    set(on, vector);
    turn();
  }

  private void set(Optional<MessageModel> on, int vector) {
    boolean ready = on.isPresent() && vector < on.get().vectors() && !on.get().isMasked(vector);
    LONGS.setOpaque(words, 2 * vector, ready ? on.get().address(vector) : 0L);
    LONGS.setOpaque(
        words,
        2 * vector + 1,
        ready ? READY | Integer.toUnsignedLong(on.get().data(vector)) : NOT_READY);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // under the function's lock
  private void turn() {
    VarHandle.fullFence();
    version = version + 1;
    VarHandle.fullFence();
  }
}
