package dev.doorbell.diff;

import dev.doorbell.qemu.QemuVersion;

/// A machine of QEMU's.
interface QemuMachine extends Rig {
  /// {@return its version}
  QemuVersion version();

  @Override
  default String name() {
    return "QEMU " + version();
  }
}
