package dev.doorbell.contract;

import dev.doorbell.contract.Space.Mapped;
import dev.doorbell.contract.Space.Slot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What the contract says, in plain maps and loops: which refusals a step may meet, and what is reachable afterwards.
final class Reference {
  /// A vector in use.
  static final class Vector {
    int data;
    int intid;
    long address;
    int cpu;
    boolean masked;
    boolean pending;

    Vector(long address, int data, int intid, int cpu, boolean masked) {
      this.address = address;
      this.data = data;
      this.intid = intid;
      this.cpu = cpu;
      this.masked = masked;
    }
  }

  /// An interrupt that arrived.
  ///
  /// @param controller which numbers it
  record Arrival(String controller, int intid, int cpu) {}

  /// Where an IOVA leads.
  sealed interface Target {
    record Nowhere() implements Target {}

    record Memory(long pa, boolean write) implements Target {}

    record Doorbell(long pa) implements Target {}
  }

  final Facts facts;
  final Map<Integer, Space> spaces = new HashMap<>();
  final Map<Integer, Integer> placed = new HashMap<>();
  final Map<Integer, List<Vector>> vectors = new HashMap<>();
  final int[] memory = new int[Facts.PAGES];

  Reference(Facts facts) {
    this.facts = facts;
    for (int i = 0; i < memory.length; i++) {
      memory[i] = 0xca0a_0000 | i;
    }
  }

  /// {@return whether a step makes sense here}
  boolean applies(Step step) {
    return switch (step) {
      case Step.Create c -> !spaces.containsKey(c.domain());
      case Step.Close c -> spaces.containsKey(c.domain());
      case Step.Attach a -> spaces.containsKey(a.domain());
      case Step.Detach d -> spaces.containsKey(d.domain());
      case Step.Map m -> spaces.containsKey(m.domain());
      case Step.Unmap u -> spaces.containsKey(u.domain());
      case Step.Reserve r -> spaces.containsKey(r.domain());
      case Step.Remove r -> spaces.containsKey(r.domain());
      // Whether a foreign id passes cannot be told from a vector that the controller holds back.
      case Step.Forge f ->
          vectors.containsKey(f.of())
              && (f.as() < 0 || f.as() == f.function() || facts.functions().get(f.of()).maskable());
      default -> true;
    };
  }

  /// {@return the refusals of which one must come; none when the step must succeed}
  Set<String> refusals(Step step) {
    Set<String> out = new HashSet<>();
    switch (step) {
      case Step.Close c when placed.containsValue(c.domain()) -> out.add("DomainInUse");
      case Step.Attach a -> attach(a, out);
      case Step.Detach d -> {
        if (!Integer.valueOf(d.domain()).equals(placed.get(d.function()))) {
          out.add("GroupUnavailable");
        } else if (vectors.containsKey(d.function())) {
          out.add("VectorsLive");
        }
      }
      case Step.Map m -> {
        spaces.get(m.domain()).map(m, out);
        if (taken(m.domain(), m.iova(), m.iova() + m.bytes() - 1)) {
          out.add("ReservedRegionConflict");
        }
      }
      case Step.Unmap u -> {
        for (Mapped m : spaces.get(u.domain()).maps.values()) {
          long last = u.iova() + u.bytes() - 1;
          boolean meets = m.start() <= last && u.iova() <= m.last();
          if (meets && (m.start() < u.iova() || m.last() > last)) {
            out.add("UnmapSplitsMapping");
          }
        }
      }
      case Step.Reserve r -> {
        spaces.get(r.domain()).reserve(r, out);
        if (taken(r.domain(), r.start(), r.start() + r.bytes() - 1)) {
          out.add("MsiWindowConflict");
        }
      }
      case Step.Remove r -> {
        Space s = spaces.get(r.domain());
        if (s.window.length == 0) {
          out.add("IllegalStateException");
        } else if (!s.slots.isEmpty()) {
          out.add("MsiWindowInUse");
        }
      }
      case Step.Enable e -> enable(e, out);
      case Step.Retarget r -> {
        if (r.cpu() >= facts.cpus() || !live(r.function(), r.vector())) {
          out.add("IllegalArgumentException");
        } else {
          retarget(r, out);
        }
      }
      case Step.Mask m when !live(m.function(), m.vector()) -> out.add("IllegalArgumentException");
      default -> {}
    }
    return out;
  }

  /// {@return whether IOVAs meet what a group in a domain takes from its owner}
  private boolean taken(int domain, long start, long last) {
    return regions(domain).anyMatch(r -> r.taken() && r.meets(start, last));
  }

  private Stream<Facts.Region> regions(int domain) {
    return placed.entrySet().stream()
        .filter(p -> p.getValue() == domain)
        .flatMap(p -> facts.functions().get(p.getKey()).regions().stream());
  }

  private void attach(Step.Attach a, Set<String> out) {
    Space to = spaces.get(a.domain());
    Facts.Function f = facts.functions().get(a.function());
    if (Integer.valueOf(a.domain()).equals(placed.get(a.function()))) {
      out.add("GroupUnavailable");
    }
    if (!f.isolated() && !to.trusted) {
      out.add("NotIsolated");
    }
    for (Facts.Region r : f.regions().stream().filter(Facts.Region::taken).toList()) {
      if (to.maps.values().stream().anyMatch(m -> r.meets(m.start(), m.last()))) {
        out.add("ReservedRegionConflict");
      }
      if (to.window.length != 0 && r.meets(to.window[0], to.window[1])) {
        out.add("MsiWindowConflict");
      }
    }
    if (f.regions().stream().anyMatch(r -> r.direct() && !to.isInside(r.start(), r.last()))) {
      out.add("OutsideAperture");
    }
    if (out.isEmpty() && f.translated() && vectors.containsKey(a.function())) {
      attachLive(to, f, rings(a.function()), out);
    }
    Map<Integer, Integer> then = new HashMap<>(placed);
    then.put(a.function(), a.domain());
    if (forges(then, vectors.keySet())) {
      out.add("DeviceIdNotUnique");
    }
  }

  private void attachLive(Space to, Facts.Function f, Map<Long, Facts.Door> now, Set<String> out) {
    boolean stays = to.takesIn(f, now, out);
    if (out.isEmpty() && !f.maskable() && !(stays && facts.hitless())) {
      out.add("VectorsLive");
    }
  }

  /// A vector that goes to a CPU with a doorbell of its own has that mapped first.
  private void retarget(Step.Retarget r, Set<String> out) {
    Facts.Function f = facts.functions().get(r.function());
    Vector v = vectors.get(r.function()).get(r.vector());
    if (!f.perCpu() || r.cpu() == v.cpu) {
      return;
    }
    if (f.translated() && !rings(r.function()).containsValue(f.door(r.cpu()))) {
      spaces.get(placed.get(r.function())).doorbells(f, Map.of(), List.of(f.door(r.cpu())), out);
    }
    if (f.msi() && taken(f, vectors.get(r.function()).size()) > 1) {
      out.add("VectorsShareMessage");
    }
  }

  /// {@return the doorbells that a function with vectors writes to, by their addresses for it}
  Map<Long, Facts.Door> rings(int function) {
    Facts.Function f = facts.functions().get(function);
    Map<Long, Facts.Door> out = new TreeMap<>();
    for (Vector v : vectors.get(function)) {
      out.put(v.address, f.door(v.cpu));
    }
    return out;
  }

  /// {@return whether some function could raise vectors of another domain's once these are placed so and these have vectors}
  private boolean forges(Map<Integer, Integer> placed, Set<Integer> live) {
    for (int x : placed.keySet()) {
      for (int z : live) {
        if (!placed.get(x).equals(placed.get(z))
            && !spaces.get(placed.get(x)).trusted
            && facts.functions().get(z).isolated()
            && facts.functions().get(z).translated()
            && facts.functions().get(x).deviceId() == facts.functions().get(z).deviceId()
            && live.stream().anyMatch(y -> rings(y, z, placed.get(x), placed))) {
          return true;
        }
      }
    }
    return false;
  }

  /// {@return whether a function is in a domain and has the doorbell of another one mapped there}
  private boolean rings(int y, int z, int domain, Map<Integer, Integer> placed) {
    Space s = spaces.get(domain);
    return placed.get(y) == domain
        && s.page(facts.functions().get(y).doors().getFirst().at())
            == s.page(facts.functions().get(z).doors().getFirst().at());
  }

  private void enable(Step.Enable e, Set<String> out) {
    Facts.Function f = facts.functions().get(e.function());
    if (vectors.containsKey(e.function())) {
      out.add("IllegalStateException");
    }
    if (e.min() > f.size()) {
      out.add("TooFewVectors");
    }
    Integer d = placed.get(e.function());
    if (d == null) {
      out.add("GroupUnavailable");
      return;
    }
    Space s = spaces.get(d);
    if (f.translated()) {
      if (!s.contains(f)) {
        out.add("DoorbellExposesNeighbours");
      }
      s.doorbells(f, Map.of(), started(f, Math.min(e.max(), f.size())), out);
    }
    Set<Integer> live = new HashSet<>(vectors.keySet());
    live.add(e.function());
    if (forges(placed, live)) {
      out.add("DeviceIdNotUnique");
    }
    int free = free(f);
    if (free < taken(f, e.min())) {
      out.add("VectorsExhausted");
    }
    if (out.isEmpty() && e.failAt() >= 0) {
      int granted = granted(f, e.max(), free);
      if (e.failAt() < granted) {
        out.add("MsiControllerFailed");
      }
    }
  }

  /// {@return doorbells that so many vectors start at}
  private List<Facts.Door> started(Facts.Function f, int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> f.door(f.startsAt(i, facts.cpus())))
        .distinct()
        .toList();
  }

  /// {@return vectors that a function gets of so many that are left: all that it asks for and has, or as many as there are}
  int granted(Facts.Function f, int max, int free) {
    int most = Math.min(max, f.size());
    return taken(f, most) <= free ? most : f.msi() ? Integer.highestOneBit(free) : free;
  }

  /// {@return vectors that are taken for so many: of MSI a power of two}
  private static int taken(Facts.Function f, int used) {
    return f.msi() ? Integer.highestOneBit(2 * used - 1) : used;
  }

  /// {@return vectors that a function's controller has left}
  int free(Facts.Function f) {
    int left = f.vectors();
    for (Map.Entry<Integer, List<Vector>> v : vectors.entrySet()) {
      Facts.Function other = facts.functions().get(v.getKey());
      if (other.controller().equals(f.controller())) {
        left -= taken(other, v.getValue().size());
      }
    }
    return left;
  }

  boolean live(int function, int vector) {
    return vectors.containsKey(function) && vector >= 0 && vector < vectors.get(function).size();
  }

  /// {@return where a function's access leads}
  Target target(int function, long iova) {
    Integer d = placed.get(function);
    if (d == null) {
      return new Target.Nowhere();
    }
    Space s = spaces.get(d);
    Map.Entry<Long, Mapped> m = s.maps.floorEntry(iova);
    if (m != null && iova <= m.getValue().last()) {
      Mapped found = m.getValue();
      return new Target.Memory(found.pa() + (iova - found.start()), found.write());
    }
    long page = s.page(iova);
    if (regions(d).anyMatch(r -> r.direct() && r.meets(page, page + s.bytes() - 1))) {
      return new Target.Memory(iova, true);
    }
    Slot slot = s.slots.get(page);
    return slot == null ? new Target.Nowhere() : new Target.Doorbell(slot.page + (iova - page));
  }

  /// A function's write of a word, by its requester id.
  ///
  /// {@return the interrupts that it must raise}
  List<Arrival> write(int function, long iova, int value) {
    List<Arrival> past = message(function, iova, value);
    if (!past.isEmpty()) {
      return past;
    }
    return switch (target(function, iova)) {
      case Target.Nowhere() -> List.of();
      case Target.Memory(long pa, boolean write) -> {
        if (write && (pa & 0xfff) == Facts.WORD) {
          memory[(int) ((pa - facts.arena()) >>> 12)] = value;
        }
        yield List.of();
      }
      case Target.Doorbell(long pa) -> ring(function, pa, value);
    };
  }

  /// {@return the interrupts of a message that meets no tables: the function's own, as nobody else's is taken from it}
  private List<Arrival> message(int function, long address, int value) {
    Facts.Function f = facts.functions().get(function);
    List<Arrival> out = new ArrayList<>();
    if (!f.translated()) {
      for (Vector v : vectors.getOrDefault(function, List.of())) {
        if (v.address == address && v.data == value) {
          out.addAll(arrive(f, v));
        }
      }
    }
    return out;
  }

  private List<Arrival> ring(int function, long pa, int value) {
    Facts.Function from = facts.functions().get(function);
    List<Arrival> out = new ArrayList<>();
    for (Map.Entry<Integer, List<Vector>> e : vectors.entrySet()) {
      Facts.Function f = facts.functions().get(e.getKey());
      if (!f.translated() || (f.isolated() && f.deviceId() != from.deviceId())) {
        continue;
      }
      for (Vector v : e.getValue()) {
        if (v.data == value && f.door(v.cpu).at() == pa) {
          out.addAll(arrive(f, v));
        }
      }
    }
    return out;
  }

  /// A message of a vector is at its controller.
  private static List<Arrival> arrive(Facts.Function f, Vector v) {
    if (v.masked && !f.maskable()) {
      v.pending = true;
      return List.of();
    }
    return List.of(new Arrival(f.controller(), v.intid, v.cpu));
  }

  /// A function raises a vector.
  List<Arrival> fire(int function, int any) {
    int vector = any % facts.functions().get(function).size();
    if (!live(function, vector)) {
      return List.of();
    }
    Facts.Function f = facts.functions().get(function);
    Vector v = vectors.get(function).get(vector);
    return v.masked && f.maskable() ? List.of() : arrive(f, v);
  }
}
