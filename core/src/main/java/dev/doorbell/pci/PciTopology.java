package dev.doorbell.pci;

import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/// Which function lies below which bridge, found through bus numbers. Several segments and root complexes; functions whose bridge is not among
/// those given are told apart from those at a root complex. Immutable.
public final class PciTopology {
  private final SortedMap<Sbdf, PciFunction> functions = new TreeMap<>();
  private final Map<BusId, PciFunction> bridges = new HashMap<>();
  private final Set<BusId> roots = new TreeSet<>();
  private final Map<Sbdf, Sbdf> physical = new HashMap<>();
  private final List<Oddity> oddities = new ArrayList<>();

  /// One bus of a segment.
  public record BusId(int segment, int bus) implements Comparable<BusId> {
    @Override
    public int compareTo(BusId o) {
      int c = Integer.compare(segment, o.segment);
      return c != 0 ? c : Integer.compare(bus, o.bus);
    }

    @Override
    public String toString() {
      return Sbdf.busName(segment, bus);
    }
  }

  /// What lies above a function.
  public sealed interface Parent {
    /// It lies on a root bus.
    record RootComplex(BusId bus) implements Parent {}

    /// It lies below a bridge or port.
    record Bridge(PciFunction bridge) implements Parent {}

    /// No function given leads to its bus.
    record Missing(String why) implements Parent {}
  }

  private PciTopology(Collection<PciFunction> given, Collection<BusId> knownRoots) {
    for (PciFunction f : given) {
      if (f.isAbsent()) {
        odd(f, "the header reads as all ones: nothing answers at " + f.sbdf());
      } else if (functions.putIfAbsent(f.sbdf(), f) != null) {
        odd(f, f.sbdf() + " is given twice; the first counts");
      }
    }
    functions.values().forEach(this::addBridge);
    functions.values().forEach(this::findPhysical);
    roots.addAll(knownRoots);
    if (knownRoots.isEmpty()) {
      guessRoots();
    }
  }

  /// {@return the topology of some functions, root buses taken from what lies on them}
  public static PciTopology of(Collection<PciFunction> functions) {
    return new PciTopology(functions, List.of());
  }

  /// {@return the topology of some functions}
  ///
  /// @param rootBuses the first bus of every root complex, as firmware tells
  public static PciTopology of(Collection<PciFunction> functions, Collection<BusId> rootBuses) {
    return new PciTopology(functions, rootBuses);
  }

  /// {@return every function, in order}
  public List<PciFunction> functions() {
    return List.copyOf(functions.values());
  }

  public Optional<PciFunction> function(Sbdf sbdf) {
    return Optional.ofNullable(functions.get(sbdf));
  }

  /// {@return what is wrong with the bus numbers}
  public List<Oddity> oddities() {
    return List.copyOf(oddities);
  }

  /// {@return of a VF, its PF: as whoever made the function knew, or by its PF's SR-IOV capability}
  public Optional<PciFunction> physicalFunction(PciFunction f) {
    Sbdf pf = f.physicalFunction().orElse(physical.get(f.sbdf()));
    return pf == null ? Optional.empty() : function(pf);
  }

  public boolean isVirtual(PciFunction f) {
    return f.physicalFunction().isPresent() || physical.containsKey(f.sbdf());
  }

  /// {@return the Vendor ID, of a VF its PF's}
  public int vendor(PciFunction f) {
    return physicalFunction(f).map(PciFunction::vendor).orElseGet(f::vendor);
  }

  /// {@return the Device ID, of a VF the one in its PF's SR-IOV capability}
  public int device(PciFunction f) {
    return physicalFunction(f)
        .flatMap(pf -> pf.sriov().thing())
        .map(SriovCapability::vfDevice)
        .orElseGet(f::device);
  }

  /// {@return what lies above a function. A VF on a bus of its own lies where its PF does}
  public Parent parent(PciFunction f) {
    BusId bus = new BusId(f.sbdf().segment(), f.sbdf().bus());
    PciFunction bridge = bridges.get(bus);
    if (bridge != null) {
      return new Parent.Bridge(bridge);
    }
    if (roots.contains(bus)) {
      return new Parent.RootComplex(bus);
    }
    Optional<PciFunction> pf = physicalFunction(f);
    if (pf.isPresent() && pf.get() != f && pf.get().sbdf().bus() < f.sbdf().bus()) {
      return parent(pf.get());
    }
    return new Parent.Missing("no bridge that was given leads to bus " + bus);
  }

  /// {@return the bridges above a function, nearest first}
  public List<PciFunction> path(PciFunction f) {
    List<PciFunction> path = new ArrayList<>();
    Parent p = parent(f);
    while (p instanceof Parent.Bridge(PciFunction bridge)) {
      path.add(bridge);
      p = parent(bridge);
    }
    return path;
  }

  /// {@return what ends the path above a function: its root complex, or the gap}
  public Parent top(PciFunction f) {
    List<PciFunction> path = path(f);
    return parent(path.isEmpty() ? f : path.getLast());
  }

  /// {@return whether its device has several functions, as Linux counts: a VF never, function 1 and above always}
  public boolean isMultiFunction(PciFunction f) {
    return !isVirtual(f) && (f.saysMultiFunction() || f.sbdf().function() > 0 || hasAriNumber(f));
  }

  /// {@return the other functions of the same device number on the same bus}
  public List<PciFunction> siblings(PciFunction f) {
    return functions.values().stream()
        .filter(o -> o != f)
        .filter(o -> o.sbdf().segment() == f.sbdf().segment() && o.sbdf().bus() == f.sbdf().bus())
        .filter(o -> o.sbdf().device() == f.sbdf().device())
        .toList();
  }

  private boolean hasAriNumber(PciFunction f) {
    return f.sbdf().device() > 0
        && parent(f) instanceof Parent.Bridge(PciFunction bridge)
        && bridge.forwardsAri();
  }

  private void addBridge(PciFunction f) {
    if (!(f.bridge() instanceof Seen.There<BridgeRegisters>(BridgeRegisters r))
        || r.secondary() == 0) {
      return;
    }
    if (r.secondary() <= f.sbdf().bus() || r.subordinate() < r.secondary()) {
      odd(
          f,
          "bridge %s has secondary bus %02x and subordinate bus %02x; below bus %02x neither can be"
              .formatted(f.sbdf(), r.secondary(), r.subordinate(), f.sbdf().bus()));
      return;
    }
    if (r.primary() != f.sbdf().bus()) {
      odd(
          f,
          "bridge %s has primary bus %02x and lies on bus %02x"
              .formatted(f.sbdf(), r.primary(), f.sbdf().bus()));
    }
    PciFunction other = bridges.putIfAbsent(new BusId(f.sbdf().segment(), r.secondary()), f);
    if (other != null) {
      odd(
          f,
          "bridges %s and %s both lead to bus %02x; the first counts"
              .formatted(other, f, r.secondary()));
    }
  }

  private void findPhysical(PciFunction pf) {
    if (!(pf.sriov() instanceof Seen.There<SriovCapability>(SriovCapability s)) || !s.enabled()) {
      return;
    }
    for (int i = 0; i < s.vfs(); i++) {
      var rid = s.requesterId(pf.sbdf(), i);
      if (rid.isEmpty()) {
        odd(
            pf,
            "%s has %d VFs enabled, of which VF %d would have no requester id"
                .formatted(pf, s.vfs(), i));
        return;
      }
      physical.putIfAbsent(Sbdf.of(pf.sbdf().segment(), rid.getAsInt()), pf.sbdf());
    }
  }

  private void guessRoots() {
    Set<Integer> begun = new TreeSet<>();
    for (PciFunction f : functions.values()) {
      BusId bus = new BusId(f.sbdf().segment(), f.sbdf().bus());
      if (bridges.containsKey(bus) || isVirtual(f)) {
        continue;
      }
      boolean first = begun.add(bus.segment()) && !mustLieBelowPort(f);
      if (first || liesAtRoot(f)) {
        roots.add(bus);
      }
    }
  }

  private static boolean liesAtRoot(PciFunction f) {
    if (f.isHostBridge()) {
      return true;
    }
    Seen<PortType> type = f.portType();
    return type.thing()
        .map(t ->
            t == PortType.ROOT_PORT
                || t == PortType.ROOT_COMPLEX_ENDPOINT
                || t == PortType.ROOT_COMPLEX_EVENT_COLLECTOR)
        // A conventional function beside no port: chip-internal functions on a bus of their own.
        .orElse(!type.isNotVisible());
  }

  private static boolean mustLieBelowPort(PciFunction f) {
    return f.portType()
        .thing()
        .filter(t -> t == PortType.UPSTREAM_PORT || t == PortType.DOWNSTREAM_PORT)
        .isPresent();
  }

  private void odd(PciFunction f, String message) {
    oddities.add(
        new Oddity(
            message, Source.at(f.sbdf().toString(), BridgeHeaderLayout.PRIMARY_BUS.offset())));
  }
}
