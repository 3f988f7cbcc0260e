package dev.doorbell.diff;

import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.util.List;

/// A family of hardware: its machines, and how they are compared.
///
/// @param <M> the machine of models
interface Family<M extends Rig> {
  /// {@return the program that has its machine}
  ///
  /// @throws dev.doorbell.qemu.QemuMissing when there is none
  QemuBinary binary();

  /// Starts QEMU.
  ///
  /// @throws dev.doorbell.qemu.QemuException when it is too old, or does not start
  QemuMachine start(QemuBinary binary);

  /// {@return the models, with the features that a QEMU's devices have}
  M model(QemuVersion version);

  /// {@return how they are compared with a QEMU}
  Discipline<M> discipline(QemuVersion version);

  /// {@return the name of the register at an address, or the empty string}
  String register(long address);

  /// {@return a command's name, or its number}
  String command(List<Long> words);

  /// {@return what lies at an address, or the empty string}
  String stored(long address);
}
