package dev.doorbell.pci.setup;

import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Ecam;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.SriovCapability;
import dev.doorbell.pci.SriovLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Gives every bus below a root bus its number, depth first, and finds the functions.
///
/// **Source**: PCI-to-PCI Bridge 1.2, 3.2.5.2 to 3.2.5.4; PCI Express Base 6.0, 7.3.1 (one device below a port), 9.2.1.2 (VFs on later buses).
final class BusNumbering {
  private static final int DEVICES = 32;
  private static final int FUNCTIONS = 8;

  private final Ecam ecam;
  private final RootBus root;
  private final ConfigJournal journal;
  private int last;

  private BusNumbering(Ecam ecam, RootBus root, ConfigJournal journal) {
    this.ecam = ecam;
    this.root = root;
    this.journal = journal;
    this.last = root.bus();
  }

  /// {@return the root bus with all below it}
  ///
  /// @throws BusNumbersExhausted when it has too few numbers
  static Found.Bus number(Ecam ecam, RootBus root, ConfigJournal journal) {
    return new BusNumbering(ecam, root, journal).scan(root.bus(), DEVICES);
  }

  private Found.Bus scan(int bus, int devices) {
    List<PciFunction> answered = functions(bus, devices);
    List<Found> found = new ArrayList<>();
    for (PciFunction f : answered) {
      if (f.isBridge()) {
        // A bridge that keeps a number from before would answer for one that is given out here.
        numbers(f, 0, 0, 0);
      }
    }
    // VFs take the numbers right after their PF's, so bridges come after them.
    for (PciFunction f : answered) {
      if (!f.isBridge()) {
        found.add(new Found(f, vfs(f), Optional.empty()));
      }
    }
    for (PciFunction f : answered) {
      if (f.isBridge()) {
        found.add(new Found(f, Optional.empty(), Optional.of(below(f))));
      }
    }
    return new Found.Bus(bus, last, found);
  }

  private Found.Bus below(PciFunction bridge) {
    int number = take(bridge.sbdf(), last + 1);
    numbers(bridge, bridge.sbdf().bus(), number, root.lastBus());
    Found.Bus bus = scan(number, isLink(bridge) ? 1 : DEVICES);
    numbers(bridge, bridge.sbdf().bus(), number, bus.subordinate());
    return bus;
  }

  private void numbers(PciFunction bridge, int primary, int secondary, int subordinate) {
    ConfigAccess header = ConfigAccess.header(bridge.config());
    journal.write(header, BridgeHeaderLayout.PRIMARY_BUS, primary);
    journal.write(header, BridgeHeaderLayout.SECONDARY_BUS, secondary);
    journal.write(header, BridgeHeaderLayout.SUBORDINATE_BUS, subordinate);
  }

  private static boolean isLink(PciFunction bridge) {
    return bridge
        .portType()
        .thing()
        .filter(t -> t == PortType.ROOT_PORT || t == PortType.DOWNSTREAM_PORT)
        .isPresent();
  }

  private List<PciFunction> functions(int bus, int devices) {
    List<PciFunction> out = new ArrayList<>();
    for (int device = 0; device < devices; device++) {
      Optional<PciFunction> first = function(bus, device, 0);
      first.ifPresent(out::add);
      if (first.filter(PciFunction::saysMultiFunction).isPresent()) {
        for (int function = 1; function < FUNCTIONS; function++) {
          function(bus, device, function).ifPresent(out::add);
        }
      }
    }
    return out;
  }

  private Optional<PciFunction> function(int bus, int device, int function) {
    Sbdf sbdf = new Sbdf(ecam.segment(), bus, device, function);
    ConfigAccess header = ConfigAccess.header(ecam.config(sbdf));
    return header.read(ConfigHeaderLayout.VENDOR) == ConfigHeaderLayout.VENDOR_ID.max()
        ? Optional.empty()
        : Optional.of(PciFunction.of(sbdf, header.config(), "config space of " + sbdf));
  }

  private Optional<Found.Vfs> vfs(PciFunction pf) {
    Optional<SriovCapability> found = pf.sriov().thing().filter(s -> s.totalVfs() > 0);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    ConfigAccess at = new ConfigAccess(pf.config(), found.get().offset());
    journal.set(at, SriovLayout.CONTROL, SriovLayout.VF_ENABLE, 0);
    journal.set(at, SriovLayout.CONTROL, SriovLayout.VF_MSE, 0);
    // First VF Offset and VF Stride may depend on NumVFs (9.3.3.9, 9.3.3.10).
    int total = found.get().totalVfs();
    long before = at.read(SriovLayout.NUM_VFS);
    at.write(SriovLayout.NUM_VFS, total);
    SriovCapability full = SriovCapability.at(pf.config(), found.get().offset());
    at.write(SriovLayout.NUM_VFS, before);
    int lastBus = pf.sbdf().bus() + (full.lastRequesterOffset(pf.sbdf()) >>> Byte.SIZE);
    last = Math.max(last, lastBus <= last ? last : take(pf.sbdf(), lastBus));
    return Optional.of(new Found.Vfs(at, total));
  }

  private int take(Sbdf function, int number) {
    if (number > root.lastBus()) {
      throw BusNumbersExhausted.at(function, number, root);
    }
    last = number;
    return number;
  }
}
