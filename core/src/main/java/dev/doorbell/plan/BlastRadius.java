package dev.doorbell.plan;

import dev.doorbell.address.Granule;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/// Which vectors of which devices a function could forge where nothing remaps interrupts: every other function's.
///
/// @param victims other functions that can have vectors, or whose vectors cannot be seen and which a driver uses
record BlastRadius(List<Victim> victims) {
  /// Victims that a sentence names one by one.
  private static final int SHOWN = 12;

  /// @param vectors what its MSI-X table or MSI capability has; empty where that cannot be seen
  record Victim(Sbdf sbdf, String driver, OptionalInt vectors) {
    @Override
    public String toString() {
      String count =
          vectors.isEmpty()
              ? "vectors unseen"
              : vectors.getAsInt() == 1 ? "1 vector" : vectors.getAsInt() + " vectors";
      return driver.isEmpty()
          ? "%s (%s)".formatted(sbdf, count)
          : "%s (%s, %s)".formatted(sbdf, driver, count);
    }
  }

  static BlastRadius of(MachineDescription machine, Sbdf culprit) {
    return new BlastRadius(
        machine.functions().stream()
            .filter(f -> !f.sbdf().equals(culprit))
            .map(f -> new Victim(f.sbdf(), f.driver().orElse(""), vectors(f)))
            .filter(
                v -> v.vectors().isPresent() ? v.vectors().getAsInt() > 0 : !v.driver().isEmpty())
            .toList());
  }

  private static OptionalInt vectors(FunctionDescription f) {
    PciFunction pci = PciFunction.of(f.sbdf(), f.config(), f.source().where());
    Seen<MsixCapability> msix = pci.msix();
    Seen<MsiCapability> msi = pci.msi();
    return msix.map(MsixCapability::vectors)
        .thing()
        .or(() -> msi.map(MsiCapability::size).thing())
        .map(OptionalInt::of)
        .orElseGet(() ->
            msix.isNotVisible() || msi.isNotVisible() ? OptionalInt.empty() : OptionalInt.of(0));
  }

  /// {@return the devices with the vectors that each can have, and how many both are}
  @Override
  public String toString() {
    if (victims.isEmpty()) {
      return "those of every device";
    }
    int all = victims.stream().mapToInt(v -> v.vectors().orElse(0)).sum();
    String named =
        victims.stream().limit(SHOWN).map(Victim::toString).collect(Collectors.joining(", "));
    return "the %d of %d other functions, %s%s,"
        .formatted(
            all,
            victims.size(),
            named,
            victims.size() > SHOWN ? " and %d more".formatted(victims.size() - SHOWN) : "");
  }

  /// {@return others that do not look at who writes either, and whose doorbell lies in the granule that is mapped for a controller's}
  static List<MsiControllerDescription> beside(
      MachineDescription machine, MsiControllerDescription c, Granule granule) {
    return machine.msiControllers().stream()
        .filter(o ->
            !o.equals(c)
                && !o.isolated()
                && o.doorbells().stream()
                    .anyMatch(d ->
                        c.doorbells().stream()
                            .anyMatch(own ->
                                granule.alignDown(own.address())
                                    == granule.alignDown(d.address()))))
        .toList();
  }

  static String told(List<MsiControllerDescription> beside, Granule granule) {
    return beside.isEmpty()
        ? ""
        : " and of %s in the same granule of %s"
            .formatted(
                beside.stream().map(MsiControllerDescription::id).collect(Collectors.joining(", ")),
                granule);
  }
}
