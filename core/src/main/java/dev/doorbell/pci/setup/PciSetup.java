package dev.doorbell.pci.setup;

import dev.doorbell.bus.Rollback;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Ecam;
import java.util.ArrayList;
import java.util.List;

/// Brings the PCI functions of a root complex from the state after reset to the one in which an operating system finds them.
///
/// Buses are numbered depth first. Each memory BAR gets a place: prefetchable 64-bit ones in the bridges' prefetchable windows and above 4 GiB where
/// the host bridge has such a window, all others below. VFs' BARs have room for TotalVFs at the System Page Size of the moment. Bridges forward
/// both ways; endpoints answer at their BARs and do not master the bus yet, which is their drivers' to allow. I/O BARs and expansion ROMs are not
/// placed, the bridges' I/O windows are closed.
///
/// For one thread, before drivers start.
///
/// **Source**: PCI Firmware 3.3, 3.5 (device state at firmware hand-over); PCI Express Base 6.0, 7.5.1.2.1; PCI-to-PCI Bridge 1.2, 3.2.5.
public final class PciSetup {
  private final ConfigJournal journal;
  private final HostWindows windows;
  private final List<Work> work = new ArrayList<>();

  /// A function with its claims.
  private record Work(
      Found found, List<BarClaim> bars, List<BarClaim> vfBars, List<BridgeClaims> bridge) {
    PlacedFunction placed() {
      return new PlacedFunction(
          found.sbdf(),
          bars.stream().map(BarClaim::placed).toList(),
          vfBars.stream().map(BarClaim::placed).toList(),
          bridge.stream().map(BridgeClaims::placed).findFirst());
    }
  }

  private PciSetup(ConfigJournal journal, HostWindows windows) {
    this.journal = journal;
    this.windows = windows;
  }

  /// Sets up what lies below the root buses. When it throws, every register is as before.
  ///
  /// @param roots root buses that share the windows; their numbers must not meet
  /// @param windows memory windows of the host bridge
  /// @return every function that answered, in order of bus, device and function
  /// @throws WindowTooSmall when a BAR or a bridge's window has no room
  /// @throws BusNumbersExhausted when a root bus has too few numbers
  public static List<PlacedFunction> run(Ecam ecam, List<RootBus> roots, List<PciWindow> windows) {
    try (Rollback rollback = new Rollback()) {
      ConfigJournal journal = new ConfigJournal(rollback);
      PciSetup setup = new PciSetup(journal, new HostWindows(windows));
      List<Claim> claims = new ArrayList<>();
      for (RootBus root : roots) {
        Found.Bus bus = BusNumbering.number(ecam, root, journal);
        setup.claims(bus, true, claims, claims);
      }
      claims.sort(Block.LARGEST_FIRST);
      claims.forEach(setup.windows::place);
      setup.write();
      rollback.commit();
      return setup.work.stream()
          .map(Work::placed)
          .sorted((a, b) -> a.sbdf().compareTo(b.sbdf()))
          .toList();
    }
  }

  /// Collects what a bus wants.
  ///
  /// @param wide whether every bridge above has a prefetchable window of 64-bit addresses
  /// @param memory takes what may not lie in one
  /// @param prefetchable takes what may
  private void claims(Found.Bus bus, boolean wide, List<Claim> memory, List<Claim> prefetchable) {
    for (Found f : bus.functions()) {
      List<BarClaim> own = own(f);
      List<BarClaim> ofVfs = ofVfs(f);
      List<BridgeClaims> bridge = new ArrayList<>();
      for (BarClaim c : own) {
        (wide && c.wide() && c.prefetchable() ? prefetchable : memory).add(c);
      }
      for (BarClaim c : ofVfs) {
        (wide && c.wide() && c.prefetchable() ? prefetchable : memory).add(c);
      }
      f.below()
          .ifPresent(below -> {
            List<Claim> belowMemory = new ArrayList<>();
            List<Claim> belowPrefetchable = new ArrayList<>();
            claims(
                below, wide && BridgeClaims.hasWidePrefetchable(f), belowMemory, belowPrefetchable);
            BridgeClaims b = new BridgeClaims(f, belowMemory, belowPrefetchable);
            b.memory().ifPresent(memory::add);
            b.prefetchable().ifPresent(prefetchable::add);
            bridge.add(b);
          });
      work.add(new Work(f, own, ofVfs, bridge));
    }
  }

  private List<BarClaim> own(Found f) {
    return BarDecode.size(f.function().config(), f.sbdf().toString()).bars().stream()
        .filter(b -> b.kind() != BarDecode.Kind.IO)
        .map(b -> checked(BarClaim.of(f, b)))
        .toList();
  }

  private List<BarClaim> ofVfs(Found f) {
    return f.vfs().stream()
        .flatMap(v ->
            BarDecode.sizeVirtual(v.capability(), f.sbdf().toString()).bars().stream()
                .filter(b -> b.kind() != BarDecode.Kind.IO)
                .map(b -> checked(BarClaim.of(f, v, b))))
        .toList();
  }

  private BarClaim checked(BarClaim claim) {
    windows.require(claim);
    return claim;
  }

  private void write() {
    // Nothing answers while addresses move.
    work.forEach(w -> decode(w.found.header(), 0));
    for (Work w : work) {
      w.bars.forEach(b -> b.write(journal));
      w.vfBars.forEach(b -> b.write(journal));
      w.bridge.forEach(b -> b.write(journal));
    }
    for (Work w : work) {
      if (!w.bars.isEmpty() || !w.bridge.isEmpty()) {
        decode(w.found.header(), 1);
      }
      if (!w.bridge.isEmpty()) {
        journal.set(
            w.found.header(), ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, 1);
      }
    }
  }

  private void decode(ConfigAccess header, int on) {
    journal.set(header, ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE, on);
  }
}
