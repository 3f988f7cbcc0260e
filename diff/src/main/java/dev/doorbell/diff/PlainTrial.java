package dev.doorbell.diff;

import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicits.ItsCommandLayout;
import dev.doorbell.hw.gicv2.GiccRegisters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// A scenario of an interrupt controller on two machines: after each step that can change something, registers and tables in memory
/// must be the same. Nothing that is done depends on what the other machine answers, so it may all be sent ahead.
final class PlainTrial implements Trial {
  private static final int MOST_ACKNOWLEDGED = 64;
  private static final int SPURIOUS = 1020;
  private static final int WORD = 8;
  private static final List<Place> IAR =
      List.of(new Place("GICC_IAR", Board.GICC + GiccRegisters.IAR.offset(), Integer.BYTES));

  private final Hardware hardware;
  private final ModelRig model;
  private final Rig other;
  private final Watch watch;
  private final Known known;
  private final Pace pace;
  private final List<Question> questions = new ArrayList<>();
  private int at;
  private boolean settled;
  private long commandQueue;
  private long commandBytes = GitsRegisters.pageBytes(0);
  private long writer;

  PlainTrial(Hardware hardware, ModelRig model, Rig other, Watch watch, Pace pace) {
    this.pace = pace;
    known = watch.known().get();
    this.hardware = hardware;
    this.model = model;
    this.other = other;
    this.watch = watch;
  }

  /// What is compared.
  ///
  /// @param brief what most steps change: registers, and words of memory
  /// @param registers all that are compared
  /// @param tables memory that the hardware writes
  /// @param settling the write after which comparing begins: what earlier scenarios left is gone then
  /// @param known tells whether a difference is a known one
  record Watch(
      List<Place> brief,
      List<Place> registers,
      List<Range> tables,
      Place settling,
      Supplier<Known> known) {
    Watch {
      brief = List.copyOf(brief);
      registers = List.copyOf(registers);
      tables = List.copyOf(tables);
    }
  }

  /// A run of memory.
  record Range(String name, long address, int bytes) {}

  /// A known difference.
  ///
  /// @param goesOn whether the machines are alike behind it
  record Tolerance(String name, boolean goesOn) {}

  /// Known differences of the other machine.
  interface Known {
    /// Sees every step before it is performed.
    default void saw(Step step) {}

    /// {@return the known difference that this one is}
    Optional<Tolerance> tolerates(Step step, Verdict.Different seen);
  }

  /// Something that both machines were asked.
  private record Question(
      int at, Step step, String after, List<Place> places, long[] model, long[] other) {}

  @Override
  public Verdict perform(int number, Step step) {
    at = number;
    act(step);
    if (pace == Pace.AHEAD) {
      return Verdict.SAME;
    }
    for (Late late : answers()) {
      if (!(late.verdict() instanceof Verdict.Same)) {
        return late.verdict();
      }
    }
    return settled ? tolerated(step, tables(step)) : Verdict.SAME;
  }

  /// {@return what was asked, in order, and then everything}
  @Override
  public List<Late> end() {
    if (pace != Pace.AHEAD) {
      return List.of();
    }
    Step last = new Step.Drain();
    ask(last, "the scenario", watch.registers());
    List<Late> out = new ArrayList<>(answers());
    out.add(new Late(at, settled ? tables(last) : Verdict.SAME));
    return out;
  }

  private List<Late> answers() {
    other.settle();
    List<Late> out = new ArrayList<>();
    for (Question q : questions) {
      known.saw(q.step);
      out.add(new Late(q.at, tolerated(q.step, compare(q))));
    }
    questions.clear();
    return out;
  }

  private Verdict tolerated(Step step, Verdict verdict) {
    return verdict instanceof Verdict.Different d
        ? known
            .tolerates(step, d)
            .<Verdict>map(t -> new Verdict.Tolerated(List.of(t.name()), t.goesOn()))
            .orElse(d)
        : verdict;
  }

  private void act(Step step) {
    switch (step) {
      case Step.Store(long address, List<Long> words) -> store(address, words);
      case Step.Clear(long address, long bytes) -> {
        model.clear(address, bytes);
        other.clear(address, bytes);
      }
      case Step.Write(long address, int bytes, long value) -> {
        note(address, value);
        model.write(address, value, bytes);
        other.write(address, value, bytes);
        settled |= address == watch.settling().address();
        look(step, Describe.register(hardware, address));
      }
      case Step.Read(long address, int bytes) -> {
        String name = Describe.register(hardware, address);
        ask(step, "", List.of(new Place(name, address, bytes)));
        look(step, "a read of " + name);
      }
      case Step.Command(List<Long> words) -> {
        command(words);
        look(step, Describe.command(hardware, words));
      }
      case Step.Message(int requester, long address, int data) -> {
        model.message(requester, address, data);
        other.message(requester, address, data);
        look(step, "a message");
      }
      case Step.Fetch _ ->
          throw new IllegalArgumentException("no device reads memory where there is no IOMMU");
      case Step.Drain() -> acknowledge(step, MOST_ACKNOWLEDGED);
      case Step.Acknowledge() -> acknowledge(step, 1);
    }
  }

  private void look(Step step, String after) {
    ask(step, after, pace == Pace.AHEAD ? watch.brief() : watch.registers());
  }

  private void ask(Step step, String after, List<Place> places) {
    boolean read = step instanceof Step.Read && after.isEmpty();
    List<Place> asked = settled || read || places.equals(IAR) ? places : List.of();
    questions.add(new Question(at, step, after, asked, model.ask(asked), other.ask(asked)));
  }

  private void store(long address, List<Long> words) {
    model.store(address, words);
    other.store(address, words);
  }

  private void note(long address, long value) {
    if (hardware != Hardware.ITS) {
      return;
    }
    if (address == Board.ITS + GitsRegisters.CBASER.offset()) {
      commandQueue = GitsRegisters.CBASER_ADDRESS.get(value);
      commandBytes = (GitsRegisters.CBASER_SIZE.get(value) + 1) * GitsRegisters.pageBytes(0);
      writer = 0;
    } else if (address == Board.ITS + GitsRegisters.CWRITER.offset()) {
      writer = GitsRegisters.CWRITER_OFFSET.get(value);
    }
  }

  private void command(List<Long> words) {
    store(commandQueue + writer, words);
    writer = (writer + ItsCommandLayout.BYTES) % commandBytes;
    long at = Board.ITS + GitsRegisters.CWRITER.offset();
    model.write(at, writer, Long.BYTES);
    other.write(at, writer, Long.BYTES);
  }

  /// Software takes interrupts until the model has none, and ends each.
  private void acknowledge(Step step, int most) {
    for (int i = 0; i < most; i++) {
      ask(step, "", IAR);
      long taken = questions.getLast().model()[0];
      if (GiccRegisters.INTERRUPT_ID.get(taken) >= SPURIOUS) {
        break;
      }
      long eoir = Board.GICC + GiccRegisters.EOIR.offset();
      model.write(eoir, taken, Integer.BYTES);
      other.write(eoir, taken, Integer.BYTES);
    }
    look(step, "interrupts were acknowledged");
  }

  private static Verdict compare(Question q) {
    for (int i = 0; i < q.model.length; i++) {
      Place place = q.places.get(i);
      if (((q.model[i] ^ q.other[i]) & place.compared()) != 0) {
        return new Verdict.Different(
            q.after.isEmpty() ? place.name() : place.name() + " after " + q.after,
            Script.hex(q.model[i]),
            Script.hex(q.other[i]));
      }
    }
    return Verdict.SAME;
  }

  private Verdict tables(Step step) {
    for (Range r : watch.tables()) {
      byte[] mine = new byte[r.bytes()];
      byte[] his = new byte[r.bytes()];
      model.memory().read(r.address(), mine);
      other.memory().read(r.address(), his);
      int differs = Arrays.mismatch(mine, his);
      if (differs >= 0) {
        long word = r.address() + (differs & -WORD);
        return new Verdict.Different(
            "%s at %s after %s".formatted(r.name(), Script.hex(word), Script.line(step)),
            Script.hex(model.memory().read64(word)),
            Script.hex(other.memory().read64(word)));
      }
    }
    return Verdict.SAME;
  }
}
