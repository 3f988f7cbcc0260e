package dev.doorbell.diff;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A scenario of an IOMMU on two machines: after each step registers, what commands wrote and what reached the local APICs must be the same, and
/// of an access where it landed and what was recorded, too. Entries that were not invalidated may be used as they are or as they were.
final class IommuTrial implements Trial {
  /// Combinations of entries that are tried at most.
  private static final int MOST_TRIED = 512;

  private final ComparedIommu iommu;
  private final IommuRig model;
  private final Rig other;
  private final IommuEntries entries;
  private final CommandRing ring = new CommandRing();
  private final List<Step.Write> settings = new ArrayList<>();

  IommuTrial(ComparedIommu iommu, IommuRig model, Rig other) {
    this.iommu = iommu;
    this.model = model;
    this.other = other;
    entries = new IommuEntries(iommu);
  }

  @Override
  public Verdict perform(int at, Step step) {
    return switch (step) {
      case Step.Store(long address, List<Long> words) -> {
        entries.written(model.memory(), address, (long) words.size() * Long.BYTES);
        model.store(address, words);
        other.store(address, words);
        yield Verdict.SAME;
      }
      case Step.Clear(long address, long bytes) -> {
        model.clear(address, bytes);
        other.clear(address, bytes);
        yield Verdict.SAME;
      }
      case Step.Write w -> {
        Optional<Attempt> asked = iommu.asked(w, settings);
        yield asked.isPresent() ? attempt(asked.get()) : write(w);
      }
      case Step.Read(long address, int bytes) ->
          compare(List.of(new Place("register", address, bytes)), "a read");
      case Step.Command(List<Long> words) -> {
        command(words);
        yield known(looked(iommu.command(words)), iommu.passesOver(words), false);
      }
      case Step.Message m -> attempt(Attempt.of(m));
      case Step.Fetch _ -> throw new IllegalArgumentException("no device reads here");
      case Step.Drain _, Step.Acknowledge _ ->
          throw new IllegalArgumentException("this is a step of other hardware");
    };
  }

  /// {@return that a difference is a known one, where there is one that it may be}
  private static Verdict known(Verdict verdict, Optional<String> name, boolean goesOn) {
    return verdict instanceof Verdict.Different && name.isPresent()
        ? new Verdict.Tolerated(List.of(name.get()), goesOn)
        : verdict;
  }

  private Verdict write(Step.Write w) {
    iommu.follow(ring, w.address(), w.value());
    if (iommu.isSetting(w.address())) {
      settings.add(w);
    }
    model.write(w.address(), w.value(), w.bytes());
    other.write(w.address(), w.value(), w.bytes());
    Verdict verdict = looked(Describe.in(iommu.map(), w.address() - iommu.base()));
    return known(verdict, iommu.catchesUp(w), true);
  }

  private void command(List<Long> words) {
    long at = ring.next(words.size() * Long.BYTES);
    Place tail = iommu.tail();
    for (Rig rig : List.of(model, other)) {
      rig.store(at, words);
      rig.write(tail.address(), iommu.tail(ring.tail()), tail.bytes());
    }
    entries.carriedOut(words);
  }

  private Verdict looked(String after) {
    Verdict verdict = compare(iommu.watched(), after);
    List<String> mine = model.interrupts();
    List<String> his = other.interrupts();
    return verdict == Verdict.SAME && !mine.equals(his)
        ? new Verdict.Different("interrupts after " + after, mine.toString(), his.toString())
        : verdict;
  }

  private Verdict compare(List<Place> places, String after) {
    long[] mine = model.read(places);
    long[] his = other.read(places);
    for (int i = 0; i < mine.length; i++) {
      if (((mine[i] ^ his[i]) & places.get(i).compared()) != 0) {
        return new Verdict.Different(
            places.get(i).name() + " after " + after, Script.hex(mine[i]), Script.hex(his[i]));
      }
    }
    return Verdict.SAME;
  }

  private Verdict attempt(Attempt m) {
    long[] before = model.read(iommu.touched(m));
    iommu.perform(m, model);
    iommu.perform(m, other);
    long[] seen = other.ask(iommu.recordings());
    PhysicalMemory his = other.memory();
    IommuOutcome mine = IommuRun.see(iommu, model, m, before, model.landed());
    String recorded = iommu.recorded(other, m, seen);
    List<String> effects = IommuRun.effects(iommu, other, m, before);
    long landed = m.question().isPresent() ? -1 : landed(his, m, mine.landed());
    IommuOutcome theirs = new IommuOutcome(landed, recorded, effects);
    Verdict verdict = mine.equals(theirs) ? Verdict.SAME : judged(m, mine, theirs);
    boolean alike = true;
    for (long at : List.of(mine.landed(), landed)) {
      if (at >= 0 && !isTable(at)) {
        model.memory().write32(at, 0);
        his.write32(at, 0);
      } else if (at >= 0) {
        alike = mine.landed() == landed;
      }
    }
    if (mine.landed() >= 0 && isTable(mine.landed())) {
      // A table was written, as software might have.
      model.memory().write32(mine.landed(), model.overwritten());
      entries.written(model.memory(), mine.landed(), Integer.BYTES);
      model.memory().write32(mine.landed(), m.data());
    }
    return verdict instanceof Verdict.Tolerated(List<String> reasons, boolean on)
        ? new Verdict.Tolerated(reasons, on && alike)
        : verdict;
  }

  private boolean isTable(long pa) {
    return iommu.board().tables().contains(pa);
  }

  /// {@return where a datum is that only this message has}
  private long landed(PhysicalMemory memory, Attempt m, long expected) {
    if (expected >= 0 && memory.read32(expected) == m.data()) {
      return expected;
    }
    if (iommu.isMessage(m.address())) {
      return -1;
    }
    AddressRange ram = iommu.board().ram();
    AddressRange tables = iommu.board().tables();
    AddressRange targets = iommu.board().targets();
    long found = within(memory, m, targets.start(), targets.last());
    found = found >= 0 ? found : within(memory, m, ram.start(), tables.start() - 1);
    found = found >= 0 ? found : within(memory, m, targets.last() + 1, ram.last());
    return found >= 0 ? found : amongTables(memory, m);
  }

  /// Tables may hold the datum anyway; it is the message's where the model has something else.
  private long amongTables(PhysicalMemory memory, Attempt m) {
    AddressRange tables = iommu.board().tables();
    long offset = m.address() & Pc.PAGE - 1;
    for (long page = tables.start(); page < tables.last(); page += Pc.PAGE) {
      if (memory.read32(page + offset) == m.data()
          && model.memory().read32(page + offset) != m.data()) {
        return page + offset;
      }
    }
    return -1;
  }

  private static long within(PhysicalMemory memory, Attempt m, long first, long last) {
    long offset = m.address() & Pc.PAGE - 1;
    for (long page = first; page < last; page += Pc.PAGE) {
      if (memory.read32(page + offset) == m.data()) {
        return page + offset;
      }
    }
    return -1;
  }

  private Verdict judged(Attempt m, IommuOutcome mine, IommuOutcome theirs) {
    Choices choices = new Choices();
    List<String> reasons = List.of();
    boolean permitted = false;
    int tried = 0;
    do {
      IommuView view = new IommuView(iommu, model.memory(), entries, m, choices);
      IommuRun run = new IommuRun(iommu, view, settings, m);
      permitted |= run.outcome().equals(mine);
      if (reasons.isEmpty()) {
        reasons = reasons(run, theirs);
      }
      tried++;
    } while (choices.next() && tried < MOST_TRIED && !(permitted && !reasons.isEmpty()));
    String what = m.toString();
    if (tried == MOST_TRIED && (reasons.isEmpty() || !permitted)) {
      return new Verdict.Tolerated(List.of(SmmuJudge.TOO_MANY), true);
    }
    if (!permitted) {
      return new Verdict.Different(what + ", which may not be so", mine.toString(), "");
    }
    return reasons.isEmpty()
        ? new Verdict.Different(what, mine.toString(), theirs.toString())
        : new Verdict.Tolerated(reasons, true);
  }

  /// {@return why the other machine may show what it does, if entries are what a run took them for}
  private List<String> reasons(IommuRun run, IommuOutcome theirs) {
    if (run.outcome().equals(theirs)) {
      return List.of(SmmuJudge.STALE);
    }
    for (ComparedIommu.Named q : iommu.quirks()) {
      if (q.quirk().instead(run).contains(theirs)) {
        return List.of(q.name());
      }
    }
    return List.of();
  }
}
