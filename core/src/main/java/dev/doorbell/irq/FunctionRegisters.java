package dev.doorbell.irq;

import dev.doorbell.bus.Rollback;
import dev.doorbell.pci.MessageTable;
import org.jspecify.annotations.Nullable;

/// What a function's own registers must hold: the message of each live vector and its mask. Where single vectors cannot be masked at
/// the function, masks are the controller's. Guarded by the MSI domain's lock.
final class FunctionRegisters {
  /// One vector of the function.
  ///
  /// @param vectors whose it is
  /// @param inner its number there
  /// @param live whether it is in use; one that is not waits to be added again
  record Slot(MsiVectors vectors, int inner, boolean live) {
    Slot live(boolean now) {
      return new Slot(vectors, inner, now);
    }

    MsiMessage compose() {
      return vectors.compose(inner);
    }
  }

  private final MessageTable table;

  /// What the owner wants; the table may hold more back for a while, or lose it (R17).
  private final boolean[] masked;

  private boolean held;

  FunctionRegisters(MessageTable table) {
    this.table = table;
    this.masked = new boolean[table.size()];
  }

  boolean isMasked(int index) {
    return masked[index];
  }

  /// Remembers what the owner wants of a vector that is not live yet.
  void want(int index, boolean mask) {
    masked[index] = mask;
  }

  /// Programs every live vector and turns messages on; masks as the owner wants. Entries that are not live are masked.
  ///
  /// @param slots the vectors
  /// @param taken vectors taken at the controller, for MSI
  void install(@Nullable Slot[] slots, int taken) {
    boolean msi = table.kind() == MessageTable.Kind.MSI;
    if (msi && table.isEnabled()) {
      table.disable();
    }
    if (table.isMaskable()) {
      for (int i = 0; i < table.size(); i++) {
        if (!table.isMasked(i)) {
          table.mask(i, true);
        }
      }
    }
    // Of MSI only vector 0 has registers; the others follow it.
    int written = msi ? 1 : slots.length;
    for (int i = 0; i < written; i++) {
      Slot s = slots[i];
      if (s != null && s.live()) {
        write(i, s.compose());
      }
    }
    for (int i = 0; i < slots.length; i++) {
      Slot s = slots[i];
      if (!table.isMaskable() && s != null && s.live() && masked[i]) {
        s.vectors().mask(s.inner(), true);
      }
    }
    table.enable(taken);
    unmaskWanted(slots);
  }

  /// Turns messages off. On return none is to come.
  void quiesce(@Nullable Slot[] slots) {
    if (table.isMaskable()) {
      for (int i = 0; i < slots.length; i++) {
        Slot s = slots[i];
        if (s != null && s.live()) {
          table.mask(i, true);
        }
      }
    }
    table.disable();
    flush();
  }

  void mask(Slot slot, int index, boolean mask) {
    if (!table.isMaskable()) {
      slot.vectors().mask(slot.inner(), mask);
    } else if (!held) {
      table.mask(index, mask);
    }
    masked[index] = mask;
  }

  /// Holds a vector back at the function whatever its owner wants.
  void silence(int index) {
    table.mask(index, true);
  }

  /// Holds a vector back at the function for a change in which messages would be lost, where single vectors can be held back at all. What it sent
  /// before has arrived on return. A rollback lets it go.
  ///
  /// {@return whether it is held back: the caller then ends that with {@link #unsilence}}
  boolean holdBack(int index, Rollback rollback) {
    if (!table.isMaskable()) {
      return false;
    }
    rollback.add(() -> unsilence(index));
    silence(index);
    flush();
    return true;
  }

  /// Lets a vector be as its owner wants.
  void unsilence(int index) {
    if (!masked[index] && !held) {
      table.mask(index, false);
    }
  }

  /// {@return what a vector is programmed with, its mask included: a write that fails half-way leaves it masked}
  MessageTable.Saved save(int index) {
    return table.save(index, 1);
  }

  void write(int index, MsiMessage message) {
    table.write(index, message.address(), message.data());
  }

  /// Programs the live vectors whose message is not the one that the function holds. They are masked meanwhile.
  void rewrite(@Nullable Slot[] slots, Rollback rollback) {
    int written = table.kind() == MessageTable.Kind.MSI ? 1 : slots.length;
    for (int i = 0; i < written; i++) {
      Slot s = slots[i];
      if (s == null || !s.live()) {
        continue;
      }
      int index = i;
      MsiMessage before = new MsiMessage(table.address(i), table.data(i));
      if (!before.equals(s.compose())) {
        rollback.add(() -> write(index, before));
        write(i, s.compose());
      }
    }
  }

  /// Holds every vector back. On return, messages sent before have left the function.
  void hold(@Nullable Slot[] slots) {
    try (Rollback rollback = new Rollback()) {
      for (int i = 0; i < slots.length; i++) {
        Slot s = slots[i];
        int index = i;
        if (s != null && s.live() && !masked[i]) {
          rollback.add(() -> table.mask(index, false));
          table.mask(i, true);
        }
      }
      flush();
      held = true;
      rollback.commit();
    }
  }

  void resume(@Nullable Slot[] slots) {
    try (Rollback rollback = new Rollback()) {
      rollback.add(() -> hold(slots));
      held = false;
      unmaskWanted(slots);
      rollback.commit();
    }
  }

  private void unmaskWanted(@Nullable Slot[] slots) {
    if (!table.isMaskable()) {
      return;
    }
    for (int i = 0; i < slots.length; i++) {
      Slot s = slots[i];
      if (s != null && s.live() && !masked[i]) {
        table.mask(i, false);
      }
    }
  }

  /// A read's answer comes after every message that the function sent before it (PCIe 6.0 2.4.1).
  private void flush() {
    var unused = table.isEnabled();
  }
}
