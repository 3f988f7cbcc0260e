package dev.doorbell.pci;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Whether a function keeps peers from reaching each other past the IOMMU.
///
/// **Source**: PCI Express Base 6.0, 6.12; the rules are those of Linux 6.12 `pci_acs_enabled`.
final class AcsCheck {
  private final PciTopology topology;
  private final AcsAssumption assumption;

  AcsCheck(PciTopology topology, AcsAssumption assumption) {
    this.topology = topology;
    this.assumption = assumption;
  }

  /// @param isolates whether it does; false where it cannot be seen
  /// @param because a clause that names the function and the services
  /// @param visible whether everything needed was seen
  record Finding(boolean isolates, String because, boolean visible) {}

  Finding of(PciFunction f) {
    Optional<AcsQuirks.Verdict> quirk =
        AcsQuirks.of(topology, f, assumption == AcsAssumption.KERNEL_ENABLES);
    if (quirk.isPresent()) {
      return new Finding(quirk.get().isolates(), quirk.get().because(), true);
    }
    return switch (f.portType()) {
      case Seen.NotThere<PortType>() ->
          new Finding(false, f + " is a conventional PCI function, which never isolates", true);
      case Seen.NotVisible<PortType>(String why) ->
          new Finding(
              false,
              "whether %s isolates cannot be seen (%s), so it counts as not isolating"
                  .formatted(f, why),
              false);
      case Seen.There<PortType>(PortType type) -> ofType(f, type);
    };
  }

  private Finding ofType(PciFunction f, PortType type) {
    return switch (type) {
      case PCIE_TO_PCI_BRIDGE, PCI_TO_PCIE_BRIDGE, ROOT_COMPLEX_EVENT_COLLECTOR ->
          new Finding(false, "%s is a %s, which never isolates".formatted(f, type.words()), true);
      case ROOT_PORT, DOWNSTREAM_PORT -> byRegisters(f, type);
      case ENDPOINT, LEGACY_ENDPOINT, UPSTREAM_PORT, ROOT_COMPLEX_ENDPOINT ->
          topology.isMultiFunction(f)
              ? byRegisters(f, type)
              : new Finding(true, "%s is a %s with one function".formatted(f, type.words()), true);
      case RESERVED -> new Finding(true, f + " has a reserved port type", true);
    };
  }

  private Finding byRegisters(PciFunction f, PortType type) {
    return switch (f.acs()) {
      case Seen.NotThere<AcsCapability>() ->
          new Finding(false, "%s %s has no ACS capability".formatted(type.words(), f), true);
      case Seen.NotVisible<AcsCapability>(String why) ->
          new Finding(
              false,
              "whether %s %s has ACS cannot be seen (%s), so it counts as not isolating"
                  .formatted(type.words(), f, why),
              false);
      case Seen.There<AcsCapability>(AcsCapability acs) -> byBits(f, type, acs);
    };
  }

  private Finding byBits(PciFunction f, PortType type, AcsCapability acs) {
    // A service that the capability does not offer counts as wired on.
    Set<AcsService> off = EnumSet.copyOf(AcsService.ISOLATION);
    off.retainAll(acs.capable());
    off.removeAll(acs.enabled());
    if (off.isEmpty()) {
      return new Finding(
          true, "%s %s has ACS %s".formatted(type.words(), f, names(AcsService.ISOLATION)), true);
    }
    if (assumption == AcsAssumption.KERNEL_ENABLES) {
      return new Finding(
          true,
          "%s %s can do ACS %s, which is off in the capture and which a kernel with an IOMMU turns on (assumed)"
              .formatted(type.words(), f, names(off)),
          true);
    }
    return new Finding(false, "%s %s has ACS %s off".formatted(type.words(), f, names(off)), true);
  }

  private static String names(Set<AcsService> services) {
    return services.stream()
        .sorted()
        .map(s -> s.name() + " (" + s.words() + ")")
        .collect(Collectors.joining(", "));
  }
}
