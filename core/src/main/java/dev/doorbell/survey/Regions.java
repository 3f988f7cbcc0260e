package dev.doorbell.survey;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MachineDescription.Reservation;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.ReservedRegion.Kind;
import dev.doorbell.pci.Sbdf;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Reserved regions of functions, derived from firmware and from how their MSIs travel, and those that the captured kernel recorded.
public final class Regions {
  /// Where Linux puts its software MSI window on every machine whose IOMMU translates MSIs.
  public static final ReservedRegion LINUX_WINDOW =
      new ReservedRegion(
          new AddressRange(0x800_0000L, 0x80f_ffffL),
          Kind.SW_MSI,
          Source.rule("Linux MSI_IOVA_BASE, drivers/iommu/arm/arm-smmu-v3"));

  private final Survey survey;
  private final MachineDescription machine;

  public Regions(Survey survey) {
    this.survey = survey;
    this.machine = survey.machine();
  }

  /// {@return regions of some functions, in order of address}
  public List<ReservedRegion> derived(List<Sbdf> functions) {
    Set<ReservedRegion> out =
        new TreeSet<>(
            java.util.Comparator.comparing(ReservedRegion::range)
                .thenComparing(ReservedRegion::kind));
    for (Sbdf sbdf : functions) {
      survey.function(sbdf).ifPresent(f -> add(f, out));
    }
    return List.copyOf(out);
  }

  /// {@return regions that the captured kernel recorded for some functions; a software window is told from a hardware region, which Linux prints alike}
  public List<ReservedRegion> recorded(List<Sbdf> functions) {
    Set<ReservedRegion> out = new LinkedHashSet<>();
    for (Recorded.Group g : machine.recorded().groups()) {
      if (g.functions().stream().anyMatch(functions::contains)) {
        g.reserved().forEach(r -> out.add(isSoftwareWindow(functions, r) ? softwareWindow(r) : r));
      }
    }
    return List.copyOf(out);
  }

  /// {@return whether an IOMMU sends MSIs through its translation tables}
  public static boolean translatesMsi(IommuDescription iommu) {
    return switch (iommu) {
      case IommuDescription.Smmuv3 _, IommuDescription.Smmuv2 _ -> true;
      case IommuDescription.VirtioIommu _, IommuDescription.Other _ -> false;
    };
  }

  private void add(SurveyedFunction f, Set<ReservedRegion> out) {
    for (Reservation r : machine.reserved()) {
      if (binds(r, f)) {
        out.add(r.region());
      }
    }
    Optional<IommuDescription> iommu = survey.iommu(f);
    if (iommu.isEmpty()) {
      return;
    }
    if (translatesMsi(iommu.get())) {
      out.add(LINUX_WINDOW);
    } else if (iommu.get() instanceof IommuDescription.VirtioIommu v) {
      hardwareMsi(f, v, out);
    }
  }

  /// A virtio-iommu lets MSIs pass to the doorbell untranslated and reports its frame.
  private void hardwareMsi(
      SurveyedFunction f, IommuDescription.VirtioIommu v, Set<ReservedRegion> out) {
    for (String id : f.msi().map(SurveyedFunction.MsiPath::controllers).orElse(List.of())) {
      machine
          .msiController(id)
          .flatMap(MsiControllerDescription::frame)
          .ifPresent(frame -> out.add(new ReservedRegion(frame, Kind.MSI, v.source())));
    }
  }

  private static boolean binds(Reservation r, SurveyedFunction f) {
    if (!r.functions().isEmpty()) {
      return r.functions().contains(f.sbdf());
    }
    return f.streams().stream()
        .filter(s -> r.iommu().map(s.iommu()::equals).orElse(true))
        .anyMatch(s ->
            r.streamIds().isEmpty()
                || r.streamIds().stream()
                    .anyMatch(x ->
                        Integer.compareUnsigned(s.streamId(), x.first()) >= 0
                            && Integer.compareUnsigned(s.streamId(), x.last()) <= 0));
  }

  private boolean isSoftwareWindow(List<Sbdf> functions, ReservedRegion r) {
    return r.kind() == Kind.MSI
        && functions.stream()
            .flatMap(s -> survey.function(s).stream())
            .allMatch(f -> survey.iommu(f).map(Regions::translatesMsi).orElse(false))
        && machine.msiControllers().stream()
            .noneMatch(
                c -> c.doorbell().isPresent() && r.range().contains(c.doorbell().getAsLong()));
  }

  private static ReservedRegion softwareWindow(ReservedRegion r) {
    return new ReservedRegion(r.range(), Kind.SW_MSI, r.source());
  }
}
