package dev.doorbell.hw.pcie;

import dev.doorbell.pci.Capabilities;
import dev.doorbell.pci.Capability;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Seen;
import java.util.Optional;

/// A capture's configuration space, on its way to become a model's.
record CapturedImage(ConfigStorage storage, Capabilities capabilities, ConfigSpace image) {
  /// @param headerLayout 0 or 1
  static CapturedImage of(ConfigSpace image, int headerLayout) {
    ConfigAccess header = ConfigAccess.header(image);
    if (image.size() < CapabilityLayout.FIRST
        || header.get(ConfigHeaderLayout.HEADER_TYPE, ConfigHeaderLayout.HEADER_LAYOUT)
            != headerLayout) {
      throw new IllegalArgumentException(
          "%s holds no type %d header; a model of it needs the 64 bytes of one"
              .formatted(image, headerLayout));
    }
    // What was not captured reads as all ones, and nobody takes it for a capability.
    ConfigStorage storage = new ConfigStorage(image.size());
    for (int i = 0; i < image.size(); i++) {
      storage.load(i, (byte) image.read(i, 1));
    }
    return new CapturedImage(storage, Capabilities.of(image, image.toString()), image);
  }

  /// {@return where a capability lies, or 0 when it is not there or not seen}
  int offset(int id, boolean extended) {
    Seen<Capability> found = extended ? capabilities.findExtended(id) : capabilities.find(id);
    return found.thing().map(Capability::offset).orElse(0);
  }

  Optional<PortType> portType() {
    int at = offset(CapabilityLayout.PCI_EXPRESS, false);
    return at == 0
        ? Optional.empty()
        : Optional.of(
            PortType.of(
                (int) new ConfigAccess(image, at).get(PcieLayout.CAPABILITIES, PcieLayout.TYPE)));
  }
}
