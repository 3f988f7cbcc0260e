package dev.doorbell.hw.pcie;

import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.ExtendedLayout;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.PortType;
import java.util.Optional;

/// Lays out the configuration space of a bridge model.
final class BridgeBuild {
  private static final int EXPRESS_AT = 0x40;
  private static final int ACS_AT = CapabilityLayout.CONVENTIONAL_BYTES;
  private static final int BRIDGE_DEVICE = 6;
  private static final int PCI_TO_PCI = 4;

  private BridgeBuild() {}

  static BridgeModel create(Optional<PortType> type, int vendor, int device, boolean acs) {
    ConfigStorage s =
        new ConfigStorage(
            type.isPresent()
                ? CapabilityLayout.EXTENDED_BYTES
                : CapabilityLayout.CONVENTIONAL_BYTES);
    s.put(0, ConfigHeaderLayout.VENDOR, vendor);
    s.put(0, ConfigHeaderLayout.DEVICE, device);
    s.put(
        0,
        ConfigHeaderLayout.CLASS_HIGH,
        ConfigHeaderLayout.BASE_CLASS.place(BRIDGE_DEVICE)
            | ConfigHeaderLayout.SUB_CLASS.place(PCI_TO_PCI));
    s.put(0, ConfigHeaderLayout.HEADER_TYPE, ConfigHeaderLayout.HEADER_LAYOUT.place(1));
    s.put(0, BridgeHeaderLayout.PREFETCHABLE_BASE, BridgeHeaderLayout.PREFETCHABLE_TYPE.place(1));
    s.put(0, BridgeHeaderLayout.PREFETCHABLE_LIMIT, BridgeHeaderLayout.PREFETCHABLE_TYPE.place(1));
    type.ifPresent(t -> express(s, t));
    boolean redirecting = acs && type.isPresent();
    if (redirecting) {
      acs(s);
    }
    return finish(s, type, type.isPresent() ? EXPRESS_AT : 0, redirecting ? ACS_AT : 0);
  }

  private static void express(ConfigStorage s, PortType type) {
    s.put(0, ConfigHeaderLayout.STATUS, ConfigHeaderLayout.CAPABILITIES_LIST.place(1));
    s.put(0, ConfigHeaderLayout.CAP_POINTER, EXPRESS_AT);
    s.put(
        EXPRESS_AT,
        CapabilityLayout.HEADER,
        CapabilityLayout.ID.place(CapabilityLayout.PCI_EXPRESS));
    s.put(
        EXPRESS_AT,
        PcieLayout.CAPABILITIES,
        PcieLayout.VERSION.place(2) | PcieLayout.TYPE.place(type.encoding()));
    s.put(EXPRESS_AT, PcieLayout.DEVICE_CAPABILITIES, PcieLayout.ROLE_BASED_ERRORS.place(1));
    s.put(
        EXPRESS_AT, PcieLayout.DEVICE_CAPABILITIES_2, PcieLayout.ARI_FORWARDING_SUPPORTED.place(1));
  }

  private static void acs(ConfigStorage s) {
    s.put(
        ACS_AT,
        CapabilityLayout.EXTENDED_HEADER,
        CapabilityLayout.EXTENDED_ID.place(CapabilityLayout.EXTENDED_ACS)
            | CapabilityLayout.EXTENDED_VERSION.place(1));
    s.put(
        ACS_AT,
        ExtendedLayout.ACS_CAPABILITY,
        ExtendedLayout.SOURCE_VALIDATION_CAPABLE.place(1)
            | ExtendedLayout.TRANSLATION_BLOCKING_CAPABLE.place(1)
            | ExtendedLayout.REQUEST_REDIRECT_CAPABLE.place(1)
            | ExtendedLayout.COMPLETION_REDIRECT_CAPABLE.place(1)
            | ExtendedLayout.UPSTREAM_FORWARDING_CAPABLE.place(1));
  }

  static BridgeModel ofImage(ConfigSpace image) {
    CapturedImage captured = CapturedImage.of(image, 1);
    return finish(
        captured.storage(),
        captured.portType(),
        captured.offset(CapabilityLayout.PCI_EXPRESS, false),
        captured.offset(CapabilityLayout.EXTENDED_ACS, true));
  }

  private static BridgeModel finish(
      ConfigStorage s, Optional<PortType> type, int express, int acsAt) {
    Declared.bridge(s);
    if (express != 0) {
      Declared.express(s, express);
    }
    if (acsAt != 0) {
      Declared.acs(s, acsAt);
    }
    s.forgetWritten();
    return new BridgeModel(s, type, express, acsAt);
  }
}
