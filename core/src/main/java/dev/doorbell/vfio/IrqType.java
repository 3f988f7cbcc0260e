package dev.doorbell.vfio;

/// A function's kinds of interrupts, in VFIO's order (`include/uapi/linux/vfio.h`, `VFIO_PCI_*_IRQ_INDEX`).
public enum IrqType {
  INTX,
  MSI,
  MSIX,
  /// The function reported an uncorrectable error.
  ERR,
  /// The host wants the device back.
  REQ
}
