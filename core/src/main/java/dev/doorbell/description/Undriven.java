package dev.doorbell.description;

import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A host bridge of POWER, or of a guest there, that firmware describes and that cannot be driven as it is described.
///
/// @param iommu id of its IOMMU
/// @param why what is missing or out of reach; lower case, no period
public record Undriven(String iommu, String why, Source source) {
  /// {@return all of a machine, in order}
  public static List<Undriven> of(MachineDescription machine) {
    List<Undriven> out = new ArrayList<>(PowerBridge.undriven(machine));
    out.addAll(Power8Bridge.undriven(machine));
    out.addAll(PaprBridge.undriven(machine));
    return List.copyOf(out);
  }

  /// {@return why an IOMMU cannot be driven}
  public static Optional<Undriven> of(MachineDescription machine, String iommu) {
    return of(machine).stream().filter(u -> u.iommu().equals(iommu)).findFirst();
  }

  /// {@return in words why an IOMMU has no driver}
  public static String because(MachineDescription machine, String iommu) {
    return of(machine, iommu)
        .map(u -> "%s cannot be driven: %s".formatted(iommu, u.why()))
        .orElse("%s is not driven by Doorbell".formatted(iommu));
  }
}
