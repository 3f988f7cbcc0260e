package dev.doorbell.plan;

import dev.doorbell.description.Arch;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MachineDescription.Reservation;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.Recorded;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// The reserved regions of some functions: what firmware says of them, and what the captured kernel recorded.
final class RegionsOf {
  private RegionsOf() {}

  static List<ReservedRegion> functions(MachineDescription machine, List<Subject> subjects) {
    List<ReservedRegion> out = new ArrayList<>();
    List<Sbdf> functions = subjects.stream().map(Subject::sbdf).toList();
    for (Reservation r : machine.reserved()) {
      if (subjects.stream().anyMatch(s -> binds(machine, r, s))) {
        out.add(r.region());
      }
    }
    for (Recorded.Group g : machine.recorded().groups()) {
      if (g.functions().stream().anyMatch(functions::contains)) {
        for (ReservedRegion r : g.reserved()) {
          out.add(isSoftwareWindow(machine, subjects, r) ? softwareWindow(r) : r);
        }
      }
    }
    return out;
  }

  private static boolean binds(MachineDescription machine, Reservation r, Subject s) {
    if (!r.functions().isEmpty()) {
      return r.functions().contains(s.sbdf());
    }
    if (r.iommu().isPresent() && s.iommu().map(i -> !i.id().equals(r.iommu().get())).orElse(true)) {
      return false;
    }
    if (r.streamIds().isEmpty()) {
      return true;
    }
    return machine.hostBridge(s.sbdf()).stream()
        .flatMap(b -> b.streams().stream())
        .map(m -> m.streamOf(s.sbdf().requesterId()))
        .filter(OptionalInt::isPresent)
        .mapToInt(OptionalInt::getAsInt)
        .anyMatch(id -> r.streamIds().stream().anyMatch(x -> id >= x.first() && id <= x.last()));
  }

  /// Linux prints hardware and software MSI regions alike (`msi`). It is a software window where the doorbell of the functions'
  /// controller lies outside the region and an IOMMU that translates MSIs stands before it.
  private static boolean isSoftwareWindow(
      MachineDescription machine, List<Subject> subjects, ReservedRegion r) {
    if (r.kind() == ReservedRegion.Kind.SW_MSI) {
      return true;
    }
    return r.kind() == ReservedRegion.Kind.MSI
        && machine.arch() == Arch.ARM64
        && subjects.stream()
            .flatMap(s -> s.controllers().stream())
            .map(MsiControllerDescription::doorbell)
            .noneMatch(d -> d.isPresent() && r.range().contains(d.getAsLong()))
        && subjects.stream().allMatch(s -> s.iommu().map(RegionsOf::translatesMsi).orElse(false));
  }

  static boolean translatesMsi(IommuDescription iommu) {
    return switch (iommu) {
      case IommuDescription.Smmuv3 _, IommuDescription.Smmuv2 _ -> true;
      case IommuDescription.VirtioIommu _, IommuDescription.Other _ -> false;
    };
  }

  private static ReservedRegion softwareWindow(ReservedRegion r) {
    return new ReservedRegion(r.range(), ReservedRegion.Kind.SW_MSI, r.source());
  }
}
