package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;

/// A scenario of a PC's IOMMU on two machines: after each step registers, what commands wrote and what reached the local APICs must be the same, and
/// of a device's write where it landed and what was recorded, too. Entries that were not invalidated may be used as they are or as they were.
final class PcTrial implements Trial {
  /// Combinations of entries that are tried at most.
  private static final int MOST_TRIED = 512;

  private final PcIommu iommu;
  private final PcModel model;
  private final Rig other;
  private final PcEntries entries;
  private final PcRing ring = new PcRing();
  private final List<Step.Write> settings = new ArrayList<>();

  PcTrial(PcIommu iommu, PcModel model, Rig other) {
    this.iommu = iommu;
    this.model = model;
    this.other = other;
    entries = new PcEntries(iommu);
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
        write(w);
        Verdict verdict = looked(Describe.in(iommu.map(), w.address() - iommu.base()));
        yield verdict instanceof Verdict.Different
            ? iommu
                .catchesUp(w)
                .<Verdict>map(name -> new Verdict.Tolerated(List.of(name), true))
                .orElse(verdict)
            : verdict;
      }
      case Step.Read(long address, int bytes) ->
          compare(List.of(new Place("register", address, bytes)), "a read");
      case Step.Command(List<Long> words) -> {
        command(words);
        yield looked(iommu.command(words));
      }
      case Step.Message m -> message(m);
      case Step.Fetch _ -> throw new IllegalArgumentException("no device reads here");
      case Step.Drain _, Step.Acknowledge _ ->
          throw new IllegalArgumentException("this is a step of other hardware");
    };
  }

  private void write(Step.Write w) {
    iommu.follow(ring, w.address(), w.value());
    if (iommu.isSetting(w.address())) {
      settings.add(w);
    }
    model.write(w.address(), w.value(), w.bytes());
    other.write(w.address(), w.value(), w.bytes());
  }

  private void command(List<Long> words) {
    long at = ring.next(words.size() * Long.BYTES);
    Place tail = iommu.tail();
    for (Rig rig : List.of(model, other)) {
      rig.store(at, words);
      rig.write(tail.address(), ring.tail(), tail.bytes());
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

  private Verdict message(Step.Message m) {
    model.message(m.requester(), m.address(), m.data());
    other.message(m.requester(), m.address(), m.data());
    long[] seen = other.ask(iommu.recordings());
    PhysicalMemory his = other.memory();
    PcOutcome mine = PcRun.see(iommu, model, model.landed());
    long landed = landed(his, m, mine.landed());
    PcOutcome theirs = new PcOutcome(landed, iommu.recorded(other, seen), other.interrupts());
    Verdict verdict = mine.equals(theirs) ? Verdict.SAME : judged(m, mine, theirs);
    boolean alike = true;
    for (long at : List.of(mine.landed(), landed)) {
      if (at >= 0 && !Pc.isTable(at)) {
        model.memory().write32(at, 0);
        his.write32(at, 0);
      } else if (at >= 0) {
        alike = mine.landed() == landed;
      }
    }
    if (mine.landed() >= 0 && Pc.isTable(mine.landed())) {
      // A table was written, as software might have.
      model.memory().write32(mine.landed(), model.overwritten());
      entries.written(model.memory(), mine.landed(), Integer.BYTES);
      model.memory().write32(mine.landed(), m.data());
    }
    return verdict instanceof Verdict.Tolerated(List<String> reasons, boolean on)
        ? new Verdict.Tolerated(reasons, on && alike)
        : verdict;
  }

  /// {@return where a datum is that only this message has}
  private static long landed(PhysicalMemory memory, Step.Message m, long expected) {
    if (expected >= 0 && memory.read32(expected) == m.data()) {
      return expected;
    }
    if (Pc.isMessage(m.address())) {
      return -1;
    }
    long found = within(memory, m, Pc.TARGETS, Pc.TARGETS + Pc.TARGET_BYTES);
    found = found >= 0 ? found : within(memory, m, 0, Pc.ARENA);
    return found >= 0 ? found : within(memory, m, Pc.TARGETS + Pc.TARGET_BYTES, Pc.RAM_BYTES);
  }

  private static long within(PhysicalMemory memory, Step.Message m, long first, long end) {
    long offset = m.address() & Pc.PAGE - 1;
    for (long page = first; page < end; page += Pc.PAGE) {
      if (memory.read32(page + offset) == m.data()) {
        return page + offset;
      }
    }
    return -1;
  }

  private Verdict judged(Step.Message m, PcOutcome mine, PcOutcome theirs) {
    Choices choices = new Choices();
    List<String> reasons = List.of();
    boolean permitted = false;
    int tried = 0;
    do {
      PcView view = new PcView(iommu, model.memory(), entries, m, choices);
      PcRun run = new PcRun(iommu, view, settings, m);
      permitted |= run.outcome().equals(mine);
      if (reasons.isEmpty()) {
        reasons = reasons(run, theirs);
      }
      tried++;
    } while (choices.next() && tried < MOST_TRIED && !(permitted && !reasons.isEmpty()));
    String what = "a write of 0x%x to 0x%x".formatted(m.requester(), m.address());
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
  private List<String> reasons(PcRun run, PcOutcome theirs) {
    if (run.outcome().equals(theirs)) {
      return List.of(SmmuJudge.STALE);
    }
    for (PcIommu.Named q : iommu.quirks()) {
      if (q.quirk().instead(run).contains(theirs)) {
        return List.of(q.name());
      }
    }
    return List.of();
  }
}
