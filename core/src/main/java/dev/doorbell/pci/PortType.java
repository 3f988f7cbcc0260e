package dev.doorbell.pci;

/// What kind of PCI Express function a function is.
///
/// **Source**: PCI Express Base 6.0, 7.5.3.2, Device/Port Type.
public enum PortType {
  ENDPOINT(0, "endpoint"),
  LEGACY_ENDPOINT(1, "legacy endpoint"),
  ROOT_PORT(4, "root port"),
  UPSTREAM_PORT(5, "switch upstream port"),
  DOWNSTREAM_PORT(6, "switch downstream port"),
  PCIE_TO_PCI_BRIDGE(7, "PCI Express to PCI bridge"),
  PCI_TO_PCIE_BRIDGE(8, "PCI to PCI Express bridge"),
  ROOT_COMPLEX_ENDPOINT(9, "root complex integrated endpoint"),
  ROOT_COMPLEX_EVENT_COLLECTOR(10, "root complex event collector"),
  /// An encoding that the specification keeps free.
  RESERVED(-1, "function of reserved type");

  private final int encoding;
  private final String words;

  PortType(int encoding, String words) {
    this.encoding = encoding;
    this.words = words;
  }

  /// {@return the kind with an encoding; {@link #RESERVED} when none has it}
  public static PortType of(int encoding) {
    for (PortType t : values()) {
      if (t.encoding == encoding) {
        return t;
      }
    }
    return RESERVED;
  }

  /// {@return its encoding, or -1}
  public int encoding() {
    return encoding;
  }

  /// {@return whether what lies below it is a link, which has one device}
  public boolean endsInLink() {
    return this == ROOT_PORT || this == DOWNSTREAM_PORT || this == PCI_TO_PCIE_BRIDGE;
  }

  /// {@return its name in a sentence}
  public String words() {
    return words;
  }
}
