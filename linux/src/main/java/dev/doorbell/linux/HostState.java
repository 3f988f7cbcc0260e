package dev.doorbell.linux;

import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What an assignment changes on the host, as it is at one moment: compared before and after.
///
/// @param drivers of functions that have one
/// @param overrides functions that one driver alone may have, and which
/// @param openFiles files that this process holds of the kinds that this room makes
public record HostState(Map<Sbdf, String> drivers, Map<Sbdf, String> overrides, int openFiles) {
  public HostState {
    drivers = Map.copyOf(drivers);
    overrides = Map.copyOf(overrides);
  }

  /// {@return the state of some functions}
  public static HostState of(LinuxOptions options, List<Sbdf> functions) {
    HostFiles files = new HostFiles(options.root());
    Map<Sbdf, String> drivers = new TreeMap<>();
    Map<Sbdf, String> overrides = new TreeMap<>();
    for (Sbdf f : functions) {
      files.driver(f).ifPresent(d -> drivers.put(f, d));
      files.driverOverride(f).ifPresent(d -> overrides.put(f, d));
    }
    return new HostState(drivers, overrides, OpenFiles.count());
  }

  /// {@return what is otherwise in a later state, a sentence each; empty when nothing is}
  public List<String> differences(HostState later) {
    List<String> out = new ArrayList<>();
    compare(out, "driver", drivers, later.drivers);
    compare(out, "driver_override", overrides, later.overrides);
    if (openFiles != later.openFiles) {
      out.add(
          "open files and mappings of files were %d and are %d"
              .formatted(openFiles, later.openFiles));
    }
    return out;
  }

  private static void compare(
      List<String> out, String what, Map<Sbdf, String> was, Map<Sbdf, String> is) {
    TreeMap<Sbdf, String> all = new TreeMap<>(was);
    all.putAll(is);
    for (Sbdf f : all.keySet()) {
      String before = was.getOrDefault(f, "none");
      String after = is.getOrDefault(f, "none");
      if (!before.equals(after)) {
        out.add("%s of %s was %s and is %s".formatted(what, f, before, after));
      }
    }
  }

  /// {@return the window that Linux takes wherever it maps doorbells itself}
  public static ReservedRegion usualWindow() {
    return new ReservedRegion(
        HostFiles.SW_MSI,
        ReservedRegion.Kind.SW_MSI,
        Source.rule("Linux MSI_IOVA_BASE, MSI_IOVA_LENGTH"));
  }

  /// {@return whether this kernel drives an IOMMU}
  public static boolean hasIommu(LinuxOptions options) {
    return new HostFiles(options.root()).hasIommu();
  }

  /// {@return where the kernel has messages of a function go: its own window, or a region that the IOMMU does not translate}
  ///
  /// Empty where no group tells; on Arm a function may have none before a driver is bound.
  public static Optional<ReservedRegion> messages(LinuxOptions options, Sbdf function) {
    HostFiles files = new HostFiles(options.root());
    return files.group(function).stream()
        .flatMap(g -> files.reserved(g).stream())
        .filter(r -> r.kind() == ReservedRegion.Kind.SW_MSI || r.kind() == ReservedRegion.Kind.MSI)
        .findFirst();
  }
}
