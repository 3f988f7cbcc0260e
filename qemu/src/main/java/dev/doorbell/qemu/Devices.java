package dev.doorbell.qemu;

import java.util.List;

/// The PCI devices that a machine is started with.
///
/// @param arguments QEMU's arguments
public record Devices(List<String> arguments) {
  public Devices {
    arguments = List.copyOf(arguments);
  }

  /// {@return devices by their `-device` values, in order}
  public static Devices of(String... devices) {
    return new Devices(
        List.of(devices).stream().flatMap(d -> List.of("-device", d).stream()).toList());
  }

  /// {@return endpoints of several kinds behind every kind of bridge: a root port, a switch, and a bridge to conventional PCI}
  public static Devices usual() {
    return of(
        "edu,addr=1",
        "pcie-root-port,id=port0,chassis=1,addr=2",
        "e1000e,romfile=,bus=port0",
        "pcie-root-port,id=port1,chassis=2,addr=3",
        "x3130-upstream,id=upstream,bus=port1",
        "xio3130-downstream,id=downstream0,bus=upstream,chassis=3,addr=0",
        "xio3130-downstream,id=downstream1,bus=upstream,chassis=4,addr=1",
        "e1000e,romfile=,bus=downstream0",
        "edu,bus=downstream1",
        "pcie-root-port,id=port2,chassis=5,addr=4",
        "pcie-pci-bridge,id=conventional,bus=port2",
        "edu,bus=conventional,addr=1");
  }
}
