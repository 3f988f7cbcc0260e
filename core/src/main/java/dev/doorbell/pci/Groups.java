package dev.doorbell.pci;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/// IOMMU groups, derived from topology and ACS: the smallest sets of functions that cannot be kept apart by the IOMMU.
///
/// **Source**: Linux 6.12, `pci_device_group` and what it calls; PCI Express Base 6.0, 6.12. Linux forms groups as devices come up;
/// here the result does not depend on an order: it is what Linux comes to when bridges come before what is below them.
public final class Groups {
  private final PciTopology topology;
  private final AcsCheck acs;
  private final Sets sets = new Sets();
  private final Map<PciFunction, Set<String>> reasons = new HashMap<>();
  private final Map<PciFunction, Boolean> unsure = new HashMap<>();

  /// One group.
  ///
  /// @param id its number, from 0 in the order of first functions; Linux numbers in the order of coming up
  /// @param functions its functions, in order
  /// @param because why it is what it is: which bridge lacks which service, which alias joins whom
  /// @param certain false when something needed was not visible and the group may in truth be smaller
  public record Group(int id, List<Sbdf> functions, List<String> because, boolean certain) {
    public Group {
      functions = List.copyOf(functions);
      because = List.copyOf(because);
    }
  }

  private Groups(PciTopology topology, AcsAssumption assumption) {
    this.topology = topology;
    this.acs = new AcsCheck(topology, assumption);
  }

  /// Disjoint sets of functions.
  private static final class Sets {
    private final Map<PciFunction, PciFunction> towards = new HashMap<>();

    void add(PciFunction f) {
      towards.putIfAbsent(f, f);
    }

    boolean contains(PciFunction f) {
      return towards.containsKey(f);
    }

    void join(PciFunction a, PciFunction b) {
      towards.put(leader(a), leader(b));
    }

    PciFunction leader(PciFunction f) {
      PciFunction at = f;
      for (PciFunction next = towards.get(at); next != null && next != at; next = towards.get(at)) {
        at = next;
      }
      return at;
    }
  }

  /// {@return the groups of all functions}
  public static List<Group> derive(PciTopology topology, AcsAssumption assumption) {
    return derive(topology, assumption, _ -> true, List.of());
  }

  /// Two functions that something beside PCI makes one group.
  ///
  /// @param because why
  public record Tie(Sbdf one, Sbdf other, String because) {}

  /// {@return the groups of those functions that lie behind an IOMMU; others are in none and join nobody}
  ///
  /// @param ties what else holds functions together
  public static List<Group> derive(
      PciTopology topology, AcsAssumption assumption, Predicate<Sbdf> translated, List<Tie> ties) {
    List<PciFunction> members =
        topology.functions().stream().filter(f -> translated.test(f.sbdf())).toList();
    Groups g = new Groups(topology, assumption);
    members.forEach(g.sets::add);
    members.forEach(g::place);
    ties.forEach(g::tie);
    return g.result(members);
  }

  private void tie(Tie t) {
    Optional<PciFunction> one = topology.function(t.one()).filter(sets::contains);
    Optional<PciFunction> other = topology.function(t.other()).filter(sets::contains);
    if (one.isPresent() && other.isPresent()) {
      join(one.get(), other.get(), t.because());
    }
  }

  /// {@return the groups that Linux comes to when functions come up in an order}
  ///
  /// A function whose bridge has not come up yet finds no group to join there, and gets one of its own although the bridge
  /// does not isolate; the groups of a real machine can differ from {@link #derive} by that.
  ///
  /// @param order functions that get groups, first one first
  public static List<Group> deriveInOrder(
      PciTopology topology, AcsAssumption assumption, List<Sbdf> order) {
    Groups g = new Groups(topology, assumption);
    List<PciFunction> members = order.stream().flatMap(s -> topology.function(s).stream()).toList();
    for (PciFunction f : members) {
      g.sets.add(f);
      g.place(f);
    }
    return g.result(members.stream().sorted((a, b) -> a.sbdf().compareTo(b.sbdf())).toList());
  }

  /// {@return the group of a function}
  public static Optional<Group> of(List<Group> groups, Sbdf function) {
    return groups.stream().filter(g -> g.functions().contains(function)).findFirst();
  }

  private List<Group> result(List<PciFunction> members) {
    SortedMap<Sbdf, List<PciFunction>> byFirst = new TreeMap<>();
    Map<PciFunction, Sbdf> first = new HashMap<>();
    for (PciFunction f : members) {
      Sbdf key = first.computeIfAbsent(sets.leader(f), _ -> f.sbdf());
      byFirst.computeIfAbsent(key, _ -> new ArrayList<>()).add(f);
    }
    List<Group> groups = new ArrayList<>();
    for (List<PciFunction> set : byFirst.values()) {
      Set<String> because = new LinkedHashSet<>();
      boolean certain = true;
      for (PciFunction f : set) {
        because.addAll(reasons.getOrDefault(f, Set.of()));
        certain &= !unsure.getOrDefault(f, false);
      }
      groups.add(
          new Group(
              groups.size(),
              set.stream().map(PciFunction::sbdf).toList(),
              List.copyOf(because),
              certain));
    }
    return groups;
  }

  private void place(PciFunction f) {
    PciFunction at = joinAliases(f);
    at = climb(f, at);
    joinFunctions(f, at);
    if (!reasons.containsKey(f)) {
      because(f, alone(f));
    }
  }

  /// Step 1: whoever sends under the same requester id cannot be told apart. Returns the last function whose id is used.
  private PciFunction joinAliases(PciFunction f) {
    PciFunction last = f;
    for (DmaAliases.Alias alias : DmaAliases.of(topology, f)) {
      if (alias.owner() != f) {
        join(f, alias.owner(), alias.because());
        last = alias.owner();
        if (last.portType().isNotVisible()) {
          unsure.put(f, true);
        }
      }
    }
    return last;
  }

  /// Step 2: upwards from there to the first bridge from which on every port isolates. Returns the function reached.
  private PciFunction climb(PciFunction f, PciFunction from) {
    PciFunction at = from;
    List<PciFunction> path = topology.path(from);
    for (int i = 0; i < path.size(); i++) {
      Optional<AcsCheck.Finding> leak = firstLeak(path.subList(i, path.size()));
      if (leak.isEmpty()) {
        break;
      }
      join(f, path.get(i), leak.get().because());
      if (!leak.get().visible()) {
        unsure.put(f, true);
      }
      at = path.get(i);
    }
    if (topology.top(f) instanceof PciTopology.Parent.Missing(String why)) {
      because(f, why + "; what lies above is not counted");
      unsure.put(f, true);
    }
    return at;
  }

  private Optional<AcsCheck.Finding> firstLeak(List<PciFunction> path) {
    return path.stream().map(acs::of).filter(finding -> !finding.isolates()).findFirst();
  }

  /// Step 3: functions of one device that do not isolate from each other.
  private void joinFunctions(PciFunction f, PciFunction at) {
    if (!topology.isMultiFunction(at)) {
      return;
    }
    AcsCheck.Finding own = acs.of(at);
    if (own.isolates()) {
      return;
    }
    for (PciFunction sibling : topology.siblings(at)) {
      AcsCheck.Finding theirs = acs.of(sibling);
      if (!theirs.isolates()) {
        join(
            f,
            sibling,
            "%s and %s are functions of one device, and %s".formatted(at, sibling, own.because()));
        if (!own.visible() || !theirs.visible()) {
          unsure.put(f, true);
        }
      }
    }
  }

  private String alone(PciFunction f) {
    List<PciFunction> path = topology.path(f);
    if (path.isEmpty()) {
      return topology.isMultiFunction(f)
          ? acs.of(f).because()
          : f + " lies at the root complex and is its device's only function";
    }
    return acs.of(path.getFirst()).because();
  }

  private void join(PciFunction f, PciFunction other, String why) {
    if (sets.contains(other)) {
      because(f, why);
      sets.join(f, other);
    }
  }

  private void because(PciFunction f, String why) {
    reasons.computeIfAbsent(f, _ -> new LinkedHashSet<>()).add(why);
  }
}
