package dev.doorbell.irq;

import java.util.OptionalInt;

/// Entries of one device at one {@link InterruptRemapper}. {@link #address} and {@link #data} are pure look-ups: they never block or allocate
/// and may be called from any thread; the caller serialises the others.
public interface RemapEntries {
  /// {@return the physical address that a vector's message must be written to}
  long address(int index);

  /// {@return the datum of its message}
  int data(int index);

  /// {@return the number of a vector's entry in its table; empty where there is no table}
  OptionalInt entry(int index);

  /// {@return whether {@link #route} keeps address and datum: false where the message itself names vector and processor}
  boolean keepsMessage();

  /// {@return whether entries that are on change in one step. Where not, a message that comes in the middle of {@link #route} or {@link #post} raises
  /// nothing, and whoever can holds the device back meanwhile}
  default boolean changesAtOnce() {
    return true;
  }

  /// Lets a vector's messages raise an interrupt. One that was let before is moved in one step, with {@link #changesAtOnce}: each message raises the
  /// one or the other. On return no further message raises the former.
  void route(int index, X86Interrupt to);

  /// Lets a vector's messages be posted to a guest, and raise nothing here; {@link #route} ends that. In one step, as {@link #route}. Only where
  /// the remapper has {@link InterruptRemapper#posting}.
  ///
  /// @throws IllegalArgumentException when the entry cannot name the descriptor
  default void post(int index, PostedInterrupt to) {
    throw new IllegalStateException("entries of this remapper post nothing, so not " + to);
  }

  /// Lets a vector's messages raise nothing. On return none does any more, where the hardware can hold them back at all.
  void block(int index);

  /// Gives all entries back, blocked.
  void free();
}
