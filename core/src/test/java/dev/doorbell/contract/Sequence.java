package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.contract.Progress.Expected;
import dev.doorbell.contract.Progress.Seen;
import dev.doorbell.contract.Reference.Arrival;
import dev.doorbell.contract.Reference.Target;
import dev.doorbell.contract.Reference.Vector;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Runs steps on a machine and on the reference, and compares everything after each.
final class Sequence {
  private static final int[] LOOKED_AT = {0, 1, 5, 15};

  private final World world;
  private final Reference reference;
  private final Progress progress;
  private final Map<String, Integer> outcomes;
  private int done;

  /// @param outcomes counts what came of steps, by step and refusal
  Sequence(World world, Map<String, Integer> outcomes) {
    this.world = world;
    this.outcomes = outcomes;
    reference = new Reference(world.facts);
    progress = new Progress(reference);
  }

  static Map<String, Integer> counts() {
    return new TreeMap<>();
  }

  /// Runs all steps after a warm-up, gives everything back, and looks for what was not.
  void run(List<Step> steps) {
    warmUp();
    List<String> before = world.figures();
    for (Step s : steps) {
      step(s);
    }
    giveBack();
    Check.equal(before, world.figures(), "after everything was given back");
  }

  /// Tables that drivers keep once made are made.
  private void warmUp() {
    for (int f = 0; f < world.facts.functions().size(); f++) {
      step(new Step.Create(0, world.facts.tables().getFirst().shift(), true));
      step(new Step.Reserve(0, world.facts.base() + 0x10_0000, 0x10_0000));
      step(new Step.Attach(f, 0));
      step(new Step.Enable(f, 1, world.facts.functions().get(f).size(), false, -1));
      giveBack();
    }
  }

  private void giveBack() {
    for (int f = 0; f < world.facts.functions().size(); f++) {
      step(new Step.Release(f));
      Integer d = reference.placed.get(f);
      if (d != null) {
        step(new Step.Detach(f, d));
      }
    }
    for (int d : Set.copyOf(reference.spaces.keySet())) {
      Check.equal(
          0L, world.domain(d).msiWindow().map(w -> w.used()).orElse(0L), "slots of domain " + d);
      step(new Step.Close(d));
    }
  }

  private void step(Step step) {
    if (!reference.applies(step)) {
      return;
    }
    try {
      compare(step);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("at " + step + ": " + e.getMessage(), e);
    }
    done++;
  }

  private void compare(Step step) {
    Set<String> refusals = reference.refusals(step);
    List<String> before = refusals.isEmpty() ? List.of() : world.snapshot();
    int at = step instanceof Step.Forge f ? f.vector() % reference.vectors.get(f.of()).size() : 0;
    String outcome = world.apply(step, at);
    outcomes.merge(
        step.getClass().getSimpleName() + (outcome.isEmpty() ? "" : " " + outcome),
        1,
        Integer::sum);
    if (refusals.isEmpty()) {
      Check.that(outcome.isEmpty(), () -> "refused: " + outcome + " " + world.last);
      Expected expected = progress.take(step, seen(step));
      arrived(expected, world.arrivals());
    } else {
      Check.that(
          refusals.contains(outcome), () -> "outcome '%s', not %s".formatted(outcome, refusals));
      Check.equal(before, world.snapshot(), "after " + outcome);
      Check.equal(Set.of(), world.arrivals(), "interrupts of a refused step");
    }
    look();
  }

  private List<Seen> seen(Step step) {
    return switch (step) {
      case Step.Enable e -> world.seen(e.function());
      case Step.Attach a -> world.seen(a.function());
      case Step.Retarget r -> world.seen(r.function());
      default -> List.of();
    };
  }

  private static void arrived(Expected expected, Set<Arrival> actual) {
    Set<Arrival> missing = new HashSet<>(expected.must());
    missing.removeAll(actual);
    Check.that(missing.isEmpty(), () -> "interrupts lost: " + missing);
    Set<Arrival> more = new HashSet<>(actual);
    more.removeAll(expected.must());
    more.removeAll(expected.may());
    Check.that(more.isEmpty(), () -> "interrupts of others: " + more);
  }

  /// Looks at everything that can be seen.
  private void look() {
    for (int i = 0; i < Facts.PAGES; i++) {
      int page = i;
      Check.that(
          world.memory(i) == reference.memory[i],
          () ->
              "page %d of memory holds 0x%x, not 0x%x"
                  .formatted(page, world.memory(page), reference.memory[page]));
    }
    for (int f = 0; f < world.facts.functions().size(); f++) {
      vectors(f);
      reach(f);
      forge(f);
    }
    reference.spaces.forEach((i, s) -> {
      Check.equal(
          s.maps.values().stream().map(m -> m.start() + "-" + m.last()).toList(),
          world.domain(i).mappings().stream()
              .map(m -> m.iovas().start() + "-" + m.iovas().last())
              .toList(),
          "mappings of domain " + i);
      Check.equal(
          (long) s.slots.size(),
          world.domain(i).msiWindow().map(w -> w.used()).orElse(0L),
          "slots of domain " + i);
    });
  }

  private void vectors(int f) {
    List<Vector> live = reference.vectors.getOrDefault(f, List.of());
    List<Seen> seen = world.seen(f);
    Check.equal(live.size(), seen.size(), "vectors of function " + f);
    Check.equal(!live.isEmpty(), world.isOn(f), "function %d is on".formatted(f));
    List<long[]> table = world.entries(f);
    for (int i = 0; i < live.size(); i++) {
      Vector v = live.get(i);
      Seen s = seen.get(i);
      Check.equal(new Seen(i, v.address, v.data, v.intid, v.cpu, v.masked), s, "vector");
      if (!table.isEmpty()) {
        long[] e = table.get(i);
        Check.equal(s.address(), e[0], "address in table entry " + i);
        Check.equal(Integer.toUnsignedLong(v.data), e[1], "data in table entry " + i);
        Check.equal(v.masked ? 1L : 0L, e[2], "mask in table entry " + i);
      }
    }
    if (live.isEmpty()) {
      Check.equal(Set.of(), world.probe(f, done), "interrupts of a function without vectors");
    } else {
      int fired = done % live.size();
      arrived(Expected.of(reference.fire(f, fired)), world.probe(f, fired));
    }
  }

  /// A function writes the data of others' vectors to every doorbell in its reach. What it was not given stays silent, unless its
  /// owner is trusted or the controller tells nobody apart.
  private void forge(int f) {
    Integer d = reference.placed.get(f);
    if (d == null) {
      return;
    }
    Space s = reference.spaces.get(d);
    for (Map.Entry<Integer, List<Vector>> of : Map.copyOf(reference.vectors).entrySet()) {
      List<Vector> theirs = of.getValue();
      Vector v = theirs.get(done % theirs.size());
      Facts.Function target = world.facts.functions().get(of.getKey());
      long offset = target.door(v.cpu).at() & (s.bytes() - 1);
      for (long at :
          target.translated()
              ? s.slots.keySet().stream().map(x -> x + offset).toList()
              : List.of(v.address)) {
        Expected expected = Expected.of(reference.write(f, at, v.data));
        Set<Arrival> actual = world.probeWrite(f, at, v.data);
        arrived(expected, actual);
        boolean given = s.trusted || d.equals(reference.placed.get(of.getKey()));
        Check.that(
            given
                || actual.stream()
                    .noneMatch(a ->
                        a.intid() == v.intid
                            && (!target.perCpu() || a.cpu() == v.cpu)
                            && a.controller().equals(target.controller())),
            () ->
                "function %d of domain %d raises a vector of function %d of domain %d"
                    .formatted(f, d, of.getKey(), reference.placed.get(of.getKey())));
      }
    }
  }

  /// What a function can read.
  private void reach(int f) {
    world.facts.tables().stream()
        .flatMap(t -> t.iovas().stream())
        .mapToLong(AddressRange::start)
        .distinct()
        .forEach(first -> reach(f, first));
  }

  private void reach(int f, long first) {
    for (int unit = 0; unit <= Facts.UNITS + 1; unit++) {
      long base =
          first
              + switch (unit - Facts.UNITS) {
                case 0 -> Facts.HIGH;
                case 1 -> world.facts.arena() + Facts.DIRECT;
                default -> world.facts.base() + ((long) unit << 16);
              };
      for (int sub : LOOKED_AT) {
        long iova = base + ((long) sub << 12) + Facts.WORD;
        switch (reference.target(f, iova)) {
          case Target.Nowhere() -> reads(f, iova, Optional.empty());
          case Target.Memory(long pa, boolean _) ->
              reads(
                  f,
                  iova,
                  Optional.of(reference.memory[(int) ((pa - world.facts.arena()) >>> 12)]));
          case Target.Doorbell(long pa) -> {
            int d = reference.placed.get(f);
            Check.equal(
                Optional.of(new Pa(pa)),
                world.domain(d).translate(new Iova(iova)),
                "doorbell at 0x" + Long.toHexString(iova));
          }
        }
      }
    }
  }

  private void reads(int f, long iova, Optional<Integer> expected) {
    Optional<Integer> actual = world.read(f, iova);
    Check.that(
        expected.equals(actual),
        () ->
            "function %d reads %s at 0x%x, not %s"
                .formatted(
                    f, actual.map(Integer::toHexString), iova, expected.map(Integer::toHexString)));
  }
}
