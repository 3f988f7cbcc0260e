package dev.doorbell.qemu;

import dev.doorbell.pci.Firing;

/// Makes one function of the machine raise its vectors through its own registers, as its work would.
public interface Stimulus {
  /// {@return how many vectors it can be made to raise, from 0}
  int vectors();

  /// Makes the function raise a vector, and rearms it for the next time.
  ///
  /// {@return {@link Firing#UNTOLD} where the device cannot tell}
  ///
  /// @throws IndexOutOfBoundsException when it has no such vector
  Firing raise(int vector);
}
