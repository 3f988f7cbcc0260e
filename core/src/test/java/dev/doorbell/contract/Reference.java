package dev.doorbell.contract;

import dev.doorbell.contract.Space.Mapped;
import dev.doorbell.contract.Space.Slot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// What the contract says, in plain maps and loops: which refusals a step may meet, and what is reachable afterwards.
final class Reference {
  /// A vector in use.
  static final class Vector {
    final int data;
    final int intid;
    int cpu;
    boolean masked;
    boolean pending;

    Vector(int data, int intid, int cpu, boolean masked) {
      this.data = data;
      this.intid = intid;
      this.cpu = cpu;
      this.masked = masked;
    }
  }

  /// An interrupt that arrived.
  record Arrival(int intid, int cpu) {}

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
  final Map<Integer, Long> rings = new HashMap<>();
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
          rings.containsKey(f.of())
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
        map(m, spaces.get(m.domain()), out);
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
        reserve(r, spaces.get(r.domain()), out);
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
    if (out.isEmpty() && vectors.containsKey(a.function())) {
      long now = rings.get(a.function());
      if (!to.contains(f)) {
        out.add("DoorbellExposesNeighbours");
      } else if (!keeps(to, f, now)) {
        doorbell(to, f, out);
        if (out.isEmpty() && !f.maskable()) {
          out.add("VectorsLive");
        }
      }
    }
    Map<Integer, Integer> then = new HashMap<>(placed);
    then.put(a.function(), a.domain());
    if (forges(then, vectors.keySet())) {
      out.add("DeviceIdNotUnique");
    }
  }

  /// {@return whether some function could raise vectors of another domain's once these are placed so and these have vectors}
  private boolean forges(Map<Integer, Integer> placed, Set<Integer> live) {
    for (int x : placed.keySet()) {
      for (int z : live) {
        if (!placed.get(x).equals(placed.get(z))
            && !spaces.get(placed.get(x)).trusted
            && facts.functions().get(z).isolated()
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
        && s.page(facts.functions().get(y).doorbell())
            == s.page(facts.functions().get(z).doorbell());
  }

  /// {@return whether a function's doorbell can be had at the address it is programmed with}
  boolean keeps(Space to, Facts.Function f, long address) {
    long at = to.page(address);
    if (address - at != f.doorbell() - to.page(f.doorbell()) || !to.isSlot(at)) {
      return false;
    }
    Slot there = to.slots.get(at);
    return there == null || there.page == to.page(f.doorbell());
  }

  /// {@return where a doorbell may be: a place that its page has, else the lowest free granule}
  Set<Long> places(Space s, Facts.Function f) {
    Set<Long> out = new HashSet<>();
    long page = s.page(f.doorbell());
    s.slots.forEach((at, slot) -> {
      if (slot.page == page) {
        out.add(at);
      }
    });
    if (out.isEmpty() && s.window.length != 0) {
      long at = s.page(s.window[0] + s.bytes() - 1);
      while (s.isSlot(at) && s.slots.containsKey(at)) {
        at += s.bytes();
      }
      if (s.isSlot(at)) {
        out.add(at);
      }
    }
    return out;
  }

  private void doorbell(Space s, Facts.Function f, Set<String> out) {
    Set<Long> at = places(s, f);
    if (at.isEmpty()) {
      out.add("MsiWindowExhausted");
    } else if (!f.address64() && at.stream().allMatch(x -> x >>> 32 != 0)) {
      out.add("MessageOutOfReach");
    }
  }

  private void map(Step.Map m, Space s, Set<String> out) {
    long low = s.bytes() - 1;
    if (m.bytes() == 0 || ((m.iova() | m.pa() | m.bytes()) & low) != 0) {
      out.add("Misaligned");
    }
    long last = m.iova() + m.bytes() - 1;
    if (Long.compareUnsigned(last, facts.aperture()) > 0) {
      out.add("OutsideAperture");
    }
    if (s.maps.values().stream().anyMatch(x -> x.start() <= last && m.iova() <= x.last())) {
      out.add("MappingOverlap");
    }
    if (s.window.length != 0 && s.window[0] <= last && m.iova() <= s.window[1]) {
      out.add("MsiWindowConflict");
    }
  }

  private void reserve(Step.Reserve r, Space s, Set<String> out) {
    long last = r.start() + r.bytes() - 1;
    if (s.window.length != 0) {
      out.add("MsiWindowAlreadySet");
    }
    if (Long.compareUnsigned(last, facts.aperture()) > 0) {
      out.add("OutsideAperture");
    }
    if (s.maps.values().stream().anyMatch(x -> x.start() <= last && r.start() <= x.last())) {
      out.add("MsiWindowConflict");
    }
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
    if (!s.contains(f)) {
      out.add("DoorbellExposesNeighbours");
    }
    doorbell(s, f, out);
    Set<Integer> live = new HashSet<>(vectors.keySet());
    live.add(e.function());
    if (forges(placed, live)) {
      out.add("DeviceIdNotUnique");
    }
    int free = free(f);
    if (free < e.min()) {
      out.add("VectorsExhausted");
    }
    if (out.isEmpty() && e.failAt() >= 0) {
      int granted = Math.min(Math.min(e.max(), f.size()), free);
      if (e.failAt() < granted) {
        out.add("MsiControllerFailed");
      }
    }
  }

  /// {@return vectors that a controller without isolation has left; more than anybody asks for where there is an ITS}
  int free(Facts.Function f) {
    return f.isolated() ? 1 << 16 : spis.getOrDefault(f.controller(), 1 << 16) - usedAt(f);
  }

  final Map<String, Integer> spis = new HashMap<>();

  private int usedAt(Facts.Function f) {
    int used = 0;
    for (Map.Entry<Integer, List<Vector>> v : vectors.entrySet()) {
      if (facts.functions().get(v.getKey()).controller().equals(f.controller())) {
        used += v.getValue().size();
      }
    }
    return used;
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

  private List<Arrival> ring(int function, long pa, int value) {
    Facts.Function from = facts.functions().get(function);
    List<Arrival> out = new ArrayList<>();
    for (Map.Entry<Integer, List<Vector>> e : vectors.entrySet()) {
      Facts.Function f = facts.functions().get(e.getKey());
      if (f.doorbell() != pa || (f.isolated() && f.deviceId() != from.deviceId())) {
        continue;
      }
      for (Vector v : e.getValue()) {
        if (v.data == value) {
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
    return List.of(new Arrival(v.intid, v.cpu));
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
