package dev.doorbell.diff;

import dev.doorbell.qemu.QemuBinary;

/// An IOMMU of a PC: VT-d's and AMD's have the board and its interrupts in common.
interface PcIommu extends ComparedIommu {
  /// {@return what QEMU's option `-device` is given}
  String option();

  @Override
  default IommuBoard board() {
    return Pc.BOARD;
  }

  @Override
  default QemuBinary binary() {
    return QemuBinary.x86();
  }

  @Override
  default QemuMachine start(QemuBinary binary) {
    return PcRig.start(binary, option());
  }

  @Override
  default boolean isMessage(long address) {
    return Pc.isMessage(address);
  }
}
