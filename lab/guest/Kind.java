import dev.doorbell.vfio.IrqType;

/// QEMU's devices that the lab drives.
enum Kind {
  EDU(0x1234, 0x11e8, IrqType.MSI, 1),
  E1000E(0x8086, 0x10d3, IrqType.MSIX, 5),
  IGB(0x8086, 0x10c9, IrqType.MSIX, 10),
  NVME(0x1b36, 0x0010, IrqType.MSIX, 9);

  private final int vendor;
  private final int device;
  private final IrqType irqs;
  private final int vectors;

  Kind(int vendor, int device, IrqType irqs, int vectors) {
    this.vendor = vendor;
    this.device = device;
    this.irqs = irqs;
    this.vectors = vectors;
  }

  int vendor() {
    return vendor;
  }

  int device() {
    return device;
  }

  IrqType irqs() {
    return irqs;
  }

  int vectors() {
    return vectors;
  }
}
