package dev.doorbell.qemu;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import java.util.Optional;
import java.util.function.IntToLongFunction;

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
        "%s cannot be made to raise a vector by its registers alone; an nvme or a nec-usb-xhci needs memory, an ivshmem-doorbell its peer"
            .formatted(name));
  }

  /// {@return bytes of memory that a function needs to raise so many vectors; 0 for those whose registers suffice}
  static long memoryBytes(ConfigSpace config, int vectors) {
    return withMemory(config).map(w -> w.bytes().applyAsLong(vectors)).orElse(0L);
  }

  /// {@return a function that needs memory, with the memory given; empty for any other}
  static Optional<Stimulus> over(
      ConfigSpace config, String name, RegisterBus bar0, DmaArea memory, int vectors) {
    return withMemory(config).map(w -> w.start().open(name, bar0, memory, vectors));
  }

  /// A way that needs memory.
  private record WithMemory(IntToLongFunction bytes, Start start) {}

  @FunctionalInterface
  private interface Start {
    Stimulus open(String device, RegisterBus bar0, DmaArea memory, int vectors);
  }

  private static Optional<WithMemory> withMemory(ConfigSpace config) {
    ConfigAccess header = ConfigAccess.header(config);
    int vendor = (int) header.read(ConfigHeaderLayout.VENDOR);
    int device = (int) header.read(ConfigHeaderLayout.DEVICE);
    if (is(vendor, device, NvmeLayout.VENDOR, NvmeLayout.DEVICE)) {
      return Optional.of(new WithMemory(NvmeStimulus::memoryBytes, NvmeStimulus::open));
    }
    if (is(vendor, device, XhciLayout.VENDOR, XhciLayout.DEVICE)) {
      return Optional.of(new WithMemory(XhciStimulus::memoryBytes, XhciStimulus::open));
    }
    return Optional.empty();
  }

  private static boolean is(int vendor, int device, int ofVendor, int ofDevice) {
    return vendor == ofVendor && device == ofDevice;
  }
}
