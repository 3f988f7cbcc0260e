package dev.doorbell.qemu;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.Firing;

/// The network controller `igb` (QEMU 8.0 and later): 25 MSI-X vectors, raised by setting extended interrupt causes.
///
/// **Source**: Intel 82576EB Gigabit Ethernet Controller datasheet 2.63, 7.3 (interrupts), 8.8.
final class IgbStimulus implements Stimulus {
  private final DeviceRegisters registers;

  IgbStimulus(String device, RegisterBus bar0) {
    registers = new DeviceRegisters(device, bar0);
    registers.write(IgbLayout.EIMC, IgbLayout.VECTORS.mask());
    registers.write(IgbLayout.GPIE, IgbLayout.MULTIPLE_MSIX.mask() | IgbLayout.PBA_SUPPORT.mask());
    registers.write(IgbLayout.EICR, IgbLayout.VECTORS.mask());
    registers.write(IgbLayout.EIMS, IgbLayout.VECTORS.mask());
  }

  @Override
  public int vectors() {
    return IgbLayout.VECTORS.width();
  }

  @Override
  public Firing raise(int vector) {
    if (vector < 0 || vector >= vectors()) {
      throw new IndexOutOfBoundsException(
          "igb has %d vectors, asked for %d".formatted(vectors(), vector));
    }
    long cause = IgbLayout.VECTORS.place(1L << vector);
    registers.write(IgbLayout.EICS, cause);
    registers.write(IgbLayout.EICR, cause);
    return Firing.UNTOLD;
  }
}
