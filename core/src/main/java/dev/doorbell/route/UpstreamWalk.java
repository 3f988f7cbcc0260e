package dev.doorbell.route;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.AcsAssumption;
import dev.doorbell.pci.AcsCapability;
import dev.doorbell.pci.AcsService;
import dev.doorbell.pci.BridgeWindows;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Seen;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.Optional;

/// The part of a route from the function up to the root complex: past what lies beside it, and through the bridges above. An address
/// that a peer or a bridge takes for its own does not come up to the IOMMU, unless ACS sends it there.
///
/// **Source**: PCI Express Base 6.0, 6.12 (ACS), 7.5.1.3 (windows); PCI-to-PCI Bridge 1.2, 4.2 (inverse decoding).
final class UpstreamWalk {
  private final Survey survey;
  private final RouteWalker.Trail trail;
  private final long address;
  private final String in;

  /// @param address as the function emits it
  UpstreamWalk(Survey survey, RouteWalker.Trail trail, SurveyedFunction f, long address) {
    this.survey = survey;
    this.trail = trail;
    this.address = address;
    this.in = "requester id 0x%x".formatted(f.sbdf().requesterId());
  }

  /// {@return whether the write reaches the root complex; the trail has stopped otherwise}
  boolean climb(PciFunction f) {
    PciFunction from = f;
    for (PciFunction bridge : survey.topology().path(f)) {
      if (takenBeside(from) || takenBy(bridge, from)) {
        return false;
      }
      from = bridge;
    }
    return !takenBeside(from);
  }

  /// Something on the same bus takes the address, where the bus shows it to everyone.
  private boolean takenBeside(PciFunction from) {
    PciTopology.Parent above = survey.topology().parent(from);
    if (above instanceof PciTopology.Parent.Missing || isLink(above)) {
      return false;
    }
    Optional<Claim> claim =
        survey.topology().functions().stream()
            .filter(p -> p != from && survey.topology().parent(p).equals(above))
            .flatMap(p -> claim(p).stream())
            .findFirst();
    if (claim.isEmpty()
        || conventional(above)
            && takes(claim.get(), "a conventional bus shows a write to all that lies on it")) {
      return claim.isPresent();
    }
    return switch (service(from, AcsService.RR)) {
      case Seen.There<Boolean> _ -> false;
      case Seen.NotVisible<Boolean>(String why) ->
          cannotSee(
              from,
              claim.get(),
              "whether %s has ACS P2P Request Redirect on cannot be seen: %s".formatted(from, why));
      case Seen.NotThere<Boolean>() ->
          above instanceof PciTopology.Parent.RootComplex
              ? cannotSee(
                  from,
                  claim.get(),
                  "whether the root complex hands the write across is its own matter")
              : takes(claim.get(), "%s has ACS P2P Request Redirect off".formatted(from));
    };
  }

  /// The bridge above takes the address for what lies below it.
  private boolean takenBy(PciFunction bridge, PciFunction from) {
    Seen<BridgeWindows> windows = BridgeWindows.of(bridge);
    Optional<AddressRange> own = windows.thing().flatMap(w -> w.holding(address));
    if (own.isEmpty()) {
      up(bridge, passes(windows));
      return false;
    }
    String lies = "0x%x lies in its window %s".formatted(address, own.get());
    Optional<PortType> type = bridge.portType().thing();
    if (type.filter(t -> t == PortType.UPSTREAM_PORT).isPresent()) {
      return redirected(bridge, from, lies);
    }
    if (type.filter(UpstreamWalk::isPort).isEmpty()) {
      return stop(bridge, lies + ", and a bridge passes up only what does not");
    }
    return switch (service(bridge, AcsService.UF)) {
      case Seen.There<Boolean> _ -> {
        up(bridge, lies + ", and ACS Upstream Forwarding sends it up all the same");
        yield false;
      }
      case Seen.NotVisible<Boolean>(String why) -> {
        trail.cannotSee(
            bridge.toString(),
            in,
            "%s, and whether ACS Upstream Forwarding is on cannot be seen: %s".formatted(lies, why),
            source(bridge));
        yield true;
      }
      case Seen.NotThere<Boolean>() ->
          stop(bridge, lies + ", and ACS Upstream Forwarding is off: what lies below is not above");
    };
  }

  /// Inside a switch, what a downstream port redirected goes up although it lies below.
  private boolean redirected(PciFunction bridge, PciFunction from, String lies) {
    return switch (service(from, AcsService.RR)) {
      case Seen.There<Boolean> _ -> {
        up(bridge, "%s, and ACS P2P Request Redirect at %s sends it up".formatted(lies, from));
        yield false;
      }
      case Seen.NotVisible<Boolean>(String why) -> {
        trail.cannotSee(
            bridge.toString(),
            in,
            "%s, and whether %s redirects cannot be seen: %s".formatted(lies, from, why),
            source(bridge));
        yield true;
      }
      case Seen.NotThere<Boolean>() ->
          stop(bridge, "%s, and %s has ACS P2P Request Redirect off".formatted(lies, from));
    };
  }

  private String passes(Seen<BridgeWindows> windows) {
    return switch (windows) {
      case Seen.There<BridgeWindows>(BridgeWindows w) when !w.decoding() ->
          "Memory Space Enable is off, so it has no window and the write goes up";
      case Seen.There<BridgeWindows>(BridgeWindows w) when w.windows().isEmpty() ->
          "its windows are closed, so the write goes up";
      case Seen.There<BridgeWindows>(BridgeWindows w) ->
          "0x%x lies in no window of its (%s), so the write goes up"
              .formatted(
                  address, String.join(", ", w.windows().stream().map(Object::toString).toList()));
      case Seen.NotVisible<BridgeWindows>(String why) -> why + "; taken to pass the write up";
      case Seen.NotThere<BridgeWindows>() -> "it has no windows, so the write goes up";
    };
  }

  /// What takes an address, and with what.
  private record Claim(PciFunction by, String with) {}

  private Optional<Claim> claim(PciFunction p) {
    Optional<Claim> window =
        BridgeWindows.of(p)
            .thing()
            .flatMap(w -> w.holding(address))
            .map(w -> new Claim(p, "window " + w));
    return window.or(() -> bar(p));
  }

  /// Sizes of BARs are what sysfs recorded; one whose size was not captured is passed over.
  private Optional<Claim> bar(PciFunction p) {
    ConfigAccess header = ConfigAccess.header(p.config());
    boolean decoding =
        header.sees(ConfigHeaderLayout.COMMAND)
            && header.isSet(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE);
    if (!decoding) {
      return Optional.empty();
    }
    return p.bars().bars().stream()
        .flatMap(b ->
            survey.machine().function(p.sbdf()).stream()
                .flatMap(d -> d.resources().stream())
                .filter(r -> r.index() == b.index() && !r.io())
                .filter(r -> Long.compareUnsigned(address - b.address(), r.range().bytes()) < 0)
                .map(r -> new Claim(p, "BAR %d at 0x%x".formatted(b.index(), b.address()))))
        .findFirst();
  }

  /// {@return there when a service is on; not there when it is off or does not exist}
  private Seen<Boolean> service(PciFunction f, AcsService service) {
    return switch (f.acs()) {
      case Seen.There<AcsCapability>(var acs) -> {
        boolean assumed =
            survey.assumption() == AcsAssumption.KERNEL_ENABLES && acs.capable().contains(service);
        yield assumed || acs.enabled().contains(service)
            ? new Seen.There<>(true)
            : new Seen.NotThere<>();
      }
      case Seen.NotThere<AcsCapability>() -> new Seen.NotThere<>();
      case Seen.NotVisible<AcsCapability>(String why) -> new Seen.NotVisible<>(why);
    };
  }

  private static boolean isPort(PortType t) {
    return t == PortType.ROOT_PORT
        || t == PortType.DOWNSTREAM_PORT
        || t == PortType.PCI_TO_PCIE_BRIDGE;
  }

  private static boolean isLink(PciTopology.Parent above) {
    return above instanceof PciTopology.Parent.Bridge(PciFunction b)
        && b.portType().thing().filter(UpstreamWalk::isPort).isPresent();
  }

  private static boolean conventional(PciTopology.Parent above) {
    return above instanceof PciTopology.Parent.Bridge(PciFunction b)
        && b.portType().thing().filter(t -> t == PortType.UPSTREAM_PORT).isEmpty();
  }

  private void up(PciFunction bridge, String why) {
    trail.hop(bridge.toString(), in, "upstream", why, source(bridge));
  }

  private boolean stop(PciFunction bridge, String why) {
    trail.stop(bridge.toString(), in, "nothing", why, source(bridge));
    return true;
  }

  private boolean takes(Claim claim, String why) {
    trail.stop(
        claim.by().toString(),
        in,
        "the peer %s, not the root complex".formatted(claim.by()),
        "0x%x lies in its %s, and %s".formatted(address, claim.with(), why),
        source(claim.by()));
    return true;
  }

  private boolean cannotSee(PciFunction from, Claim claim, String why) {
    trail.cannotSee(
        from.toString(),
        in,
        "0x%x lies in the %s of its peer %s, and %s"
            .formatted(address, claim.with(), claim.by(), why),
        source(claim.by()));
    return true;
  }

  private Source source(PciFunction f) {
    return survey
        .machine()
        .function(f.sbdf())
        .map(FunctionDescription::source)
        .orElse(Source.file(f.toString()));
  }
}
