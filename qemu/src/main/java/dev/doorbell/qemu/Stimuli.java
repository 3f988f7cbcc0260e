package dev.doorbell.qemu;

import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;

/// Finds the way to make a device raise its vectors, by its vendor and device id. Devices that need memory or a peer are not among them:
/// {@link QemuMachine#stimulateBy} tells theirs.
final class Stimuli {
  private Stimuli() {}

  /// @throws IllegalArgumentException when nothing is known of such a device
  static Stimulus of(QemuMachine machine, Sbdf function) {
    ConfigAccess header = ConfigAccess.header(machine.config(function));
    int vendor = (int) header.read(ConfigHeaderLayout.VENDOR);
    int device = (int) header.read(ConfigHeaderLayout.DEVICE);
    String name = "%s (%04x:%04x)".formatted(function, vendor, device);
    if (is(vendor, device, EduLayout.VENDOR, EduLayout.DEVICE)) {
      return new EduStimulus(name, machine.bar(function, 0));
    }
    if (is(vendor, device, E1000eLayout.VENDOR, E1000eLayout.DEVICE)) {
      return new E1000eStimulus(name, machine.bar(function, 0));
    }
    if (is(vendor, device, IgbLayout.VENDOR, IgbLayout.DEVICE)) {
      return new IgbStimulus(name, machine.bar(function, 0));
    }
    throw new IllegalArgumentException(
        "%s cannot be made to raise a vector by its registers alone; an nvme needs memory, an ivshmem-doorbell its peer"
            .formatted(name));
  }

  /// {@return whether a function is an NVM Express controller of QEMU's}
  static boolean isNvme(ConfigSpace config) {
    ConfigAccess header = ConfigAccess.header(config);
    return is(
        (int) header.read(ConfigHeaderLayout.VENDOR),
        (int) header.read(ConfigHeaderLayout.DEVICE),
        NvmeLayout.VENDOR,
        NvmeLayout.DEVICE);
  }

  private static boolean is(int vendor, int device, int ofVendor, int ofDevice) {
    return vendor == ofVendor && device == ofDevice;
  }
}
