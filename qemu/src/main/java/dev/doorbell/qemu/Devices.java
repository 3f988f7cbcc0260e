package dev.doorbell.qemu;

import java.util.List;
import java.util.stream.Stream;

/// The PCI devices that a machine is started with.
///
/// @param arguments QEMU's arguments
/// @param extraRoots bus numbers of the root buses that `pxb-pcie` devices make, ascending
public record Devices(List<String> arguments, List<Integer> extraRoots) {
  public Devices {
    arguments = List.copyOf(arguments);
    extraRoots = List.copyOf(extraRoots);
  }

  public Devices(List<String> arguments) {
    this(arguments, List.of());
  }

  /// {@return the same with further arguments}
  public Devices and(String... more) {
    return new Devices(Stream.concat(arguments.stream(), Stream.of(more)).toList(), extraRoots);
  }

  /// {@return the same, with the root buses that `pxb-pcie` devices among them make}
  public Devices withRoots(Integer... buses) {
    return new Devices(arguments, List.of(buses));
  }

  /// {@return devices by their `-device` values, in order}
  public static Devices of(String... devices) {
    return new Devices(
        List.of(devices).stream().flatMap(d -> List.of("-device", d).stream()).toList());
  }

  /// {@return endpoints of several kinds behind every kind of bridge: a root port, a switch, and a bridge to conventional PCI; one has MSI of sixteen messages}
  public static Devices usual() {
    return of(
        "edu,addr=1",
        "pcie-root-port,id=port0,chassis=1,addr=2",
        "e1000e,romfile=,bus=port0",
        "pcie-root-port,id=port1,chassis=2,addr=3",
        "x3130-upstream,id=upstream,bus=port1",
        "xio3130-downstream,id=downstream0,bus=upstream,chassis=3,addr=0",
        "xio3130-downstream,id=downstream1,bus=upstream,chassis=4,addr=1",
        "xio3130-downstream,id=downstream2,bus=upstream,chassis=6,addr=2",
        "e1000e,romfile=,bus=downstream0",
        "edu,bus=downstream1",
        "nvme,serial=doorbell,bus=downstream2,max_ioqpairs=8,msix_qsize=9",
        "pcie-root-port,id=port2,chassis=5,addr=4",
        "pcie-pci-bridge,id=conventional,bus=port2",
        "edu,bus=conventional,addr=1",
        "nec-usb-xhci,msi=on,msix=off,addr=5");
  }

  /// {@return endpoints of the same kinds, all on the root bus}
  static Devices onRootBus() {
    return of(
        "edu,addr=1",
        "e1000e,romfile=,addr=2",
        "nvme,serial=doorbell,addr=3,max_ioqpairs=8,msix_qsize=9",
        "nec-usb-xhci,msi=on,msix=off,addr=4");
  }
}
