package dev.doorbell.survey;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.BridgeWindows;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology.Parent;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Seen;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What keeps processors' requests from a function: nobody could program its vectors. Immutable.
///
/// A function that was captured did answer, whatever its port says of ARI. A BAR that the capture has not placed gets a place where the
/// windows lead; one that it has placed where they do not lead is reached by nothing.
///
/// **Source**: PCI Express Base 6.0, 7.3.1 (a link has device 0 alone) and 6.13 (ARI); PCI-to-PCI Bridge 1.2, 4.2.
///
/// @param at what stands in the way
/// @param why in words; lower case, no period
/// @param advice what to do about it
public record Obstacle(String at, Source source, String why, String advice) {
  private static final int BARS = 6;
  private static final String AGAIN =
      "take the capture again: sysfs and configuration space belong together";

  /// Bridges whose class says that they also pass on what nobody else takes.
  private static final int SUBTRACTIVE = 1;

  /// {@return what stands before a function; empty when nothing is seen to}
  public static Optional<Obstacle> before(Survey survey, SurveyedFunction f) {
    boolean beyond = f.sbdf().device() > 0 && f.description().hypothetical();
    if (!beyond
        || survey.topology().isVirtual(f.pci())
        || !(survey.topology().parent(f.pci()) instanceof Parent.Bridge(PciFunction port))
        || !(port.portType() instanceof Seen.There<PortType>(PortType type))
        || !type.endsInLink()
        || port.forwardsAri()) {
      return Optional.empty();
    }
    return Optional.of(
        new Obstacle(
            port.sbdf().toString(),
            source(survey, port),
            "no function answers there: port %s above it leads to device 0 alone, as it forwards no ARI numbers"
                .formatted(port.sbdf()),
            "see doorbell inspect for bridges and ports, and choose a place behind one"));
  }

  /// {@return what stands before the MSI-X table of a function, by a capture that contradicts itself; empty when nothing does}
  public static Optional<Obstacle> beforeTable(Survey survey, SurveyedFunction f) {
    return f.pci()
        .msix()
        .thing()
        .flatMap(m ->
            Stream.of(m.tableBar(), m.pbaBar())
                .flatMap(bar -> bar(survey, f, m, bar).stream())
                .findFirst());
  }

  private static Optional<Obstacle> bar(
      Survey survey, SurveyedFunction f, MsixCapability m, int index) {
    List<HostBridge.Window> root =
        survey.machine().hostBridge(f.sbdf()).stream()
            .flatMap(b -> b.windows().stream())
            .filter(w -> !w.io())
            .toList();
    if (index >= BARS) {
      return Optional.of(
          new Obstacle(
              f.sbdf().toString(),
              f.description().source(),
              "BAR %d of %s, which is to hold the MSI-X table of %d vectors, cannot be: there are BARs 0 to 5"
                  .formatted(index, f.sbdf(), m.vectors()),
              AGAIN));
    }
    Optional<AddressRange> placed = placed(f, index, root);
    if (placed.isEmpty() || isFixed(f.pci())) {
      return Optional.empty();
    }
    AddressRange at = placed.get();
    String what =
        "BAR %d of %s, which holds the MSI-X table of %d vectors, lies at %s, and "
            .formatted(index, f.sbdf(), m.vectors(), at);
    for (PciFunction bridge : survey.topology().path(f.pci())) {
      if (!isFixed(bridge) && isClosedTo(bridge, at)) {
        return Optional.of(
            new Obstacle(
                bridge.sbdf().toString(),
                source(survey, bridge),
                what + "bridge %s above it leads elsewhere".formatted(bridge.sbdf()),
                AGAIN));
      }
    }
    if (root.isEmpty() || root.stream().anyMatch(w -> pci(w).contains(at))) {
      return Optional.empty();
    }
    HostBridge top = survey.machine().hostBridge(f.sbdf()).orElseThrow();
    return Optional.of(
        new Obstacle(
            top.id(),
            top.source(),
            what + "no window of %s leads there".formatted(top.id()),
            AGAIN));
  }

  /// PCI addresses of a BAR that the capture has placed.
  private static Optional<AddressRange> placed(
      SurveyedFunction f, int index, List<HostBridge.Window> root) {
    List<FunctionDescription.Bar> resources = f.description().resources();
    if (resources.isEmpty()) {
      return f.pci()
          .bars()
          .at(index)
          .filter(b -> b.kind() != BarDecode.Kind.IO && b.address() != 0)
          .map(b -> AddressRange.ofSize(b.address(), 1));
    }
    return resources.stream()
        .filter(b -> b.index() == index && index < BARS && !b.io())
        .map(FunctionDescription.Bar::range)
        .filter(r -> Long.bitCount(r.bytes()) == 1)
        .map(r -> AddressRange.ofSize(r.start() - offset(r, root), r.bytes()))
        .findFirst();
  }

  private static long offset(AddressRange cpu, List<HostBridge.Window> root) {
    return root.stream()
        .filter(w -> w.cpu().contains(cpu))
        .map(w -> w.cpu().start() - w.pciStart())
        .findFirst()
        .orElse(0L);
  }

  private static AddressRange pci(HostBridge.Window w) {
    return AddressRange.ofSize(w.pciStart(), w.cpu().bytes());
  }

  /// Whether its addresses are not those of its header's registers (Enhanced Allocation), or it passes on what nobody takes.
  private static boolean isFixed(PciFunction f) {
    return f.capabilities().find(CapabilityLayout.ENHANCED_ALLOCATION).isThere()
        || f.isBridge() && (byte) f.classCode() == SUBTRACTIVE;
  }

  private static boolean isClosedTo(PciFunction bridge, AddressRange at) {
    return BridgeWindows.of(bridge) instanceof Seen.There<BridgeWindows>(BridgeWindows w)
        && w.windows().stream().noneMatch(x -> x.contains(at));
  }

  private static Source source(Survey survey, PciFunction f) {
    return survey
        .function(f.sbdf())
        .map(s -> s.description().source())
        .orElseGet(() -> Source.rule("config space of " + f.sbdf()));
  }
}
