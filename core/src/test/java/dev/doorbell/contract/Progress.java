package dev.doorbell.contract;

import dev.doorbell.contract.Reference.Arrival;
import dev.doorbell.contract.Reference.Vector;
import dev.doorbell.contract.Space.Mapped;
import dev.doorbell.contract.Space.Slot;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Takes the reference over a step that succeeded. Where the contract leaves a choice (which interrupt, which of a doorbell's places)
/// the choice is read from the machine and held to the rules.
final class Progress {
  /// What a function says of a vector.
  record Seen(int index, long address, int data, int intid, int cpu, boolean masked) {}

  /// The interrupts of a step.
  ///
  /// @param must those that arrive
  /// @param may those that may arrive besides
  record Expected(Set<Arrival> must, Set<Arrival> may) {
    static Expected of(List<Arrival> must) {
      return new Expected(Set.copyOf(must), Set.of());
    }
  }

  private final Reference reference;
  private final Facts facts;

  Progress(Reference reference) {
    this.reference = reference;
    this.facts = reference.facts;
  }

  /// @param seen what the function of the step says of its vectors after it
  Expected take(Step step, List<Seen> seen) {
    List<Arrival> must = new ArrayList<>();
    switch (step) {
      case Step.Create c ->
          reference.spaces.put(
              c.domain(), new Space(facts.tables(c.granuleShift()), facts.windows(), c.trusted()));
      case Step.Close c -> reference.spaces.remove(c.domain());
      case Step.Attach a -> {
        return attach(a, seen);
      }
      case Step.Detach d -> reference.placed.remove(d.function());
      case Step.Map m ->
          space(m.domain())
              .maps
              .put(m.iova(), new Mapped(m.iova(), m.iova() + m.bytes() - 1, m.pa(), m.write()));
      case Step.Unmap u ->
          space(u.domain())
              .maps
              .values()
              .removeIf(m -> m.start() >= u.iova() && m.last() <= u.iova() + u.bytes() - 1);
      case Step.Reserve r ->
          space(r.domain()).window = new long[] {r.start(), r.start() + r.bytes() - 1};
      case Step.Remove r -> space(r.domain()).window = new long[0];
      case Step.Enable e -> must.addAll(enable(e, seen));
      case Step.Release r -> release(r.function());
      case Step.Retarget r -> {
        return retarget(r, seen);
      }
      case Step.Mask m -> must.addAll(mask(m));
      case Step.Fire f -> must.addAll(reference.fire(f.function(), f.vector()));
      case Step.Write w -> must.addAll(reference.write(w.function(), w.iova(), w.value()));
      case Step.Forge f -> {
        return forge(f);
      }
    }
    return Expected.of(must);
  }

  private Space space(int domain) {
    return reference.spaces.get(domain);
  }

  private Vector vector(int function, int vector) {
    return reference.vectors.get(function).get(vector);
  }

  /// A requester id is a number of one segment. That of another function may pass, where no bridge validates sources, and is that
  /// function then.
  private Expected forge(Step.Forge f) {
    int data = forged(f).data;
    long at = forged(f).address;
    if (facts.byBridge()) {
      return Expected.of(reference.write(f.function(), at, data));
    }
    if (f.as() < 0) {
      return Expected.of(List.of());
    }
    int id = facts.functions().get(f.as()).requesterId();
    if (facts.functions().get(f.function()).requesterId() == id) {
      return Expected.of(reference.write(f.function(), at, data));
    }
    return new Expected(Set.of(), Set.copyOf(reference.write(f.as(), at, data)));
  }

  /// {@return the vector whose message is forged}
  Vector forged(Step.Forge f) {
    List<Vector> of = reference.vectors.get(f.of());
    return of.get(Math.floorMod(f.vector(), of.size()));
  }

  private Expected attach(Step.Attach a, List<Seen> seen) {
    Facts.Function f = facts.functions().get(a.function());
    Integer from = reference.placed.put(a.function(), a.domain());
    List<Vector> live = reference.vectors.get(a.function());
    if (live == null) {
      return Expected.of(List.of());
    }
    if (!f.translated()) {
      Check.equal(live.getFirst().address, seen.getFirst().address(), "message of " + f.name());
      return Expected.of(List.of());
    }
    Space to = space(a.domain());
    Map<Long, Facts.Door> before = reference.rings(a.function());
    Map<Long, Long> after = moved(live, seen);
    before.forEach((address, door) -> {
      if (to.keeps(door, address)) {
        Check.equal(address, after.get(address), "a doorbell moved although its IOVA was free");
      }
    });
    // Those that stay are placed first; the others have the lowest granules that are left.
    List<Long> order = new ArrayList<>(before.keySet());
    order.sort(Comparator.comparing((Long x) -> !x.equals(after.get(x))).thenComparing(after::get));
    for (long address : order) {
      Facts.Door door = before.get(address);
      settle(to, door, after.get(address), to.keeps(door, address));
    }
    before.keySet().forEach(address -> leave(space(from), f, address));
    Set<Arrival> may = new HashSet<>();
    for (Vector v : live) {
      v.address = after.get(v.address);
      if (!v.masked) {
        may.add(new Arrival(f.controller(), v.intid, v.cpu));
      }
    }
    boolean stayed = after.entrySet().stream().allMatch(e -> e.getKey().equals(e.getValue()));
    return new Expected(stayed ? Set.of() : may, may);
  }

  /// {@return where each address of a function's vectors has gone}
  private static Map<Long, Long> moved(List<Vector> live, List<Seen> seen) {
    Map<Long, Long> out = new HashMap<>();
    for (int i = 0; i < live.size(); i++) {
      long now = seen.get(i).address();
      Long other = out.putIfAbsent(live.get(i).address, now);
      Check.that(other == null || other == now, () -> "one doorbell at two places: " + seen);
    }
    return out;
  }

  /// Where each CPU has a doorbell, the vector has another one's, which was mapped first; the former one is given back when no other vector rings it.
  private Expected retarget(Step.Retarget r, List<Seen> seen) {
    Facts.Function f = facts.functions().get(r.function());
    Vector v = vector(r.function(), r.vector());
    if (!f.perCpu() || v.cpu == r.cpu()) {
      v.cpu = r.cpu();
      return Expected.of(List.of());
    }
    Map<Long, Facts.Door> before = reference.rings(r.function());
    Set<Arrival> may = new HashSet<>(Set.of(new Arrival(f.controller(), v.intid, v.cpu)));
    Seen now = seen.get(r.vector());
    long former = v.address;
    v.cpu = r.cpu();
    v.address = now.address();
    v.data = now.data();
    v.intid = now.intid();
    may.add(new Arrival(f.controller(), v.intid, v.cpu));
    if (f.translated()) {
      Space s = space(reference.placed.get(r.function()));
      Facts.Door door = f.door(r.cpu());
      if (before.containsValue(door)) {
        Check.that(before.containsKey(v.address), () -> "a doorbell at two places: " + seen);
      } else {
        settle(s, door, v.address, false);
      }
      if (!reference.rings(r.function()).containsKey(former)) {
        leave(s, f, former);
      }
    }
    return new Expected(Set.of(), v.masked ? Set.of() : may);
  }

  /// Counts a user of a doorbell's place, after checking that it may be there.
  private void settle(Space s, Facts.Door door, long address, boolean kept) {
    long at = s.page(address);
    Check.equal(door.at() - s.page(door.at()), address - at, "offset of a doorbell in its page");
    Check.that(
        kept || s.places(door).contains(at),
        () -> "%s is at 0x%x and not at one of %s".formatted(door, at, s.places(door)));
    s.slots.computeIfAbsent(at, _ -> new Slot(s.page(door.at()))).users++;
  }

  private static void leave(Space s, Facts.Function f, long address) {
    long at = s.page(address);
    Slot slot = s.slots.get(at);
    Check.that(slot != null && slot.users > 0, () -> f.name() + " had no doorbell at " + at);
    slot.users--;
    if (slot.users == 0) {
      s.slots.remove(at);
    }
  }

  private List<Arrival> enable(Step.Enable e, List<Seen> seen) {
    Facts.Function f = facts.functions().get(e.function());
    int wanted = Math.min(e.max(), f.size());
    int least = reference.granted(f, e.max(), reference.free(f));
    Check.that(
        seen.size() <= wanted && seen.size() >= (f.msi() ? e.min() : least),
        () -> "%s got %d vectors, not %d".formatted(f.name(), seen.size(), least));
    Set<List<Integer>> taken = new HashSet<>();
    reference.vectors.forEach((other, l) -> {
      if (facts.functions().get(other).controller().equals(f.controller())) {
        l.forEach(v -> taken.add(interrupt(f, v.intid, v.cpu)));
      }
    });
    Map<Facts.Door, Long> addresses = new LinkedHashMap<>();
    Set<Object> messages = new HashSet<>();
    List<Vector> mine = new ArrayList<>();
    List<Arrival> out = new ArrayList<>();
    for (Seen s : seen) {
      Check.that(
          taken.add(interrupt(f, s.intid(), s.cpu())),
          () -> "interrupt %d has two owners".formatted(s.intid()));
      Check.equal(f.startsAt(s.index(), facts.cpus()), s.cpu(), "CPU of vector " + s.index());
      if (f.translated()) {
        long address = addresses.computeIfAbsent(f.door(s.cpu()), _ -> s.address());
        Check.equal(address, s.address(), "address of vector " + s.index());
      }
      Check.that(
          messages.add(List.of(s.address(), s.data())),
          () -> "vector %d has another one's message".formatted(s.index()));
      if (f.msi()) {
        Check.equal(seen.getFirst().data() + s.index(), s.data(), "data of MSI " + s.index());
      }
      Vector v = new Vector(s.address(), s.data(), s.intid(), s.cpu(), e.masked());
      mine.add(v);
      if (!e.masked()) {
        out.add(new Arrival(f.controller(), v.intid, v.cpu));
      } else if (!f.maskable()) {
        v.pending = true;
      }
    }
    if (f.translated()) {
      Space s = space(reference.placed.get(e.function()));
      addresses.entrySet().stream()
          .sorted(Map.Entry.comparingByValue())
          .forEach(door -> settle(s, door.getKey(), door.getValue(), false));
    }
    reference.vectors.put(e.function(), mine);
    return out;
  }

  /// {@return what tells an interrupt from others of its controller}
  private static List<Integer> interrupt(Facts.Function f, int intid, int cpu) {
    return f.perCpu() ? List.of(cpu, intid) : List.of(intid);
  }

  void release(int function) {
    if (!reference.vectors.containsKey(function)) {
      return;
    }
    Set<Long> rung = reference.rings(function).keySet();
    Facts.Function f = facts.functions().get(function);
    reference.vectors.remove(function);
    if (f.translated()) {
      rung.forEach(at -> leave(space(reference.placed.get(function)), f, at));
    }
  }

  /// A function that masks by itself interrupts as soon as it is let; see {@link EagerTable}.
  private List<Arrival> mask(Step.Mask m) {
    Vector v = vector(m.function(), m.vector());
    v.masked = m.masked();
    Facts.Function f = facts.functions().get(m.function());
    boolean arrives = !m.masked() && (f.maskable() || v.pending);
    if (!m.masked()) {
      v.pending = false;
    }
    return arrives ? List.of(new Arrival(f.controller(), v.intid, v.cpu)) : List.of();
  }
}
