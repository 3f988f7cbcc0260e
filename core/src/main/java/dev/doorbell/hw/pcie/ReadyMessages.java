package dev.doorbell.hw.pcie;

import dev.doorbell.pci.MsiLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The messages that a function may send at the moment, for whoever fires without its lock.
///
/// Address and data of a vector are one immutable object, so that no mixture of an old and a new entry is ever sent. A vector that is off,
/// masked, or not allowed to master the bus has none. Reading allocates nothing; {@link #refresh} is for the function, under its lock.
final class ReadyMessages {
  private static final VarHandle MESSAGES = MethodHandles.arrayElementVarHandle(Message[].class);
  private static final int MSI_VECTORS = 1 << (int) MsiLayout.MULTIPLE_ENABLE.max();

  private final @Nullable Message[] messages;
  private boolean none = true;

  /// What a vector writes where.
  record Message(long address, int data) {}

  /// @param msixVectors size of the MSI-X table, 0 for none
  ReadyMessages(int msixVectors) {
    messages = new Message[Math.max(msixVectors, MSI_VECTORS)];
  }

  /// {@return what a vector sends, or null when it must not be sent, or does not exist}
  @Nullable Message of(int vector) {
    return vector >= 0 && vector < messages.length
        ? (Message) MESSAGES.getAcquire(messages, vector)
        : null;
  }

  /// Takes over what the registers say.
  ///
  /// @param on the hardware whose messages are on; empty where there is none, or the function must not master the bus
  void refresh(Optional<MessageModel> on) {
    if (on.isEmpty() && none) {
      return;
    }
    for (int v = 0; v < messages.length; v++) {
      refresh(on, v);
    }
    none = on.isEmpty();
  }

  /// The same for one vector whose entry changed.
  void refresh(Optional<MessageModel> on, int vector) {
    Message before = messages[vector];
    if (on.isEmpty() || vector >= on.get().vectors() || on.get().isMasked(vector)) {
      if (before != null) {
        MESSAGES.setRelease(messages, vector, (Message) null);
      }
      return;
    }
    long address = on.get().address(vector);
    int data = on.get().data(vector);
    if (before == null || before.address() != address || before.data() != data) {
      MESSAGES.setRelease(messages, vector, new Message(address, data));
    }
  }
}
