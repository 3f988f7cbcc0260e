package dev.doorbell.hw.pcie;

import dev.doorbell.pci.MessageTable;
import java.util.BitSet;

/// A function's MSI or MSI-X hardware. Guarded by the lock of its function.
interface MessageModel {
  MessageTable.Kind kind();

  /// {@return whether messages are on}
  boolean isOn();

  /// {@return vectors that it may send at the moment}
  int vectors();

  /// {@return whether a vector is held back, by its own mask or the function's}
  boolean isMasked(int vector);

  long address(int vector);

  int data(int vector);

  /// {@return the vectors that wait; the caller changes it}
  BitSet pending();

  void reset();
}
