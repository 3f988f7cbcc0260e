package dev.doorbell.diff;

import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicits.ItsCommandLayout;
import dev.doorbell.hw.gicv2.GiccRegisters;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A scenario of an interrupt controller on two machines: after each step that can change something, registers and tables in memory
/// must be the same.
final class PlainTrial implements Trial {
  private static final int MOST_ACKNOWLEDGED = 64;
  private static final int SPURIOUS = 1020;
  private static final int WORD = 8;

  private final Hardware hardware;
  private final Rig model;
  private final Rig other;
  private final Watch watch;
  private boolean settled;
  private long commandQueue;
  private long commandBytes = GitsRegisters.pageBytes(0);
  private long writer;

  PlainTrial(Hardware hardware, Rig model, Rig other, Watch watch) {
    this.hardware = hardware;
    this.model = model;
    this.other = other;
    this.watch = watch;
  }

  /// What is compared.
  ///
  /// @param registers read after each step
  /// @param tables memory that the hardware writes
  /// @param settling the write after which comparing begins: what earlier scenarios left is gone then
  /// @param known tells whether a difference is a known one
  record Watch(List<Place> registers, List<Range> tables, Place settling, Known known) {
    Watch {
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

  @Override
  public Verdict perform(Step step) {
    watch.known().saw(step);
    Verdict verdict = act(step);
    return verdict instanceof Verdict.Different d
        ? watch
            .known()
            .tolerates(step, d)
            .<Verdict>map(t -> new Verdict.Tolerated(List.of(t.name()), t.goesOn()))
            .orElse(d)
        : verdict;
  }

  private Verdict act(Step step) {
    return switch (step) {
      case Step.Store(long address, List<Long> words) -> {
        store(address, words);
        yield Verdict.SAME;
      }
      case Step.Clear(long address, long bytes) -> {
        model.memory().fill(address, bytes, (byte) 0);
        other.memory().fill(address, bytes, (byte) 0);
        yield Verdict.SAME;
      }
      case Step.Write(long address, int bytes, long value) -> {
        note(address, value);
        model.write(address, value, bytes);
        other.write(address, value, bytes);
        settled |= address == watch.settling().address();
        yield compare(Describe.register(hardware, address));
      }
      case Step.Read(long address, int bytes) -> {
        Verdict read = read(address, bytes);
        yield read instanceof Verdict.Different
            ? read
            : compare("a read of " + Describe.register(hardware, address));
      }
      case Step.Command(List<Long> words) -> {
        command(words);
        yield compare(Describe.command(hardware, words));
      }
      case Step.Message(int requester, long address, int data) -> {
        model.message(requester, address, data);
        other.message(requester, address, data);
        yield compare("a message");
      }
      case Step.Drain() -> acknowledge(MOST_ACKNOWLEDGED);
      case Step.Acknowledge() -> acknowledge(1);
    };
  }

  @Override
  public Verdict end() {
    return Verdict.SAME;
  }

  private void store(long address, List<Long> words) {
    for (int i = 0; i < words.size(); i++) {
      long at = address + (long) i * Long.BYTES;
      model.memory().write64(at, words.get(i));
      other.memory().write64(at, words.get(i));
    }
    other.memory().publish();
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

  private Verdict read(long address, int bytes) {
    List<Place> place = List.of(new Place("", address, bytes));
    long ours = model.read(place)[0];
    long theirs = other.read(place)[0];
    return ours == theirs
        ? Verdict.SAME
        : new Verdict.Different(
            Describe.register(hardware, address), Script.hex(ours), Script.hex(theirs));
  }

  /// Software takes interrupts until there is none, and ends each.
  private Verdict acknowledge(int most) {
    List<Place> iar =
        List.of(new Place("GICC_IAR", Board.GICC + GiccRegisters.IAR.offset(), Integer.BYTES));
    for (int i = 0; i < most; i++) {
      long ours = model.read(iar)[0];
      long theirs = other.read(iar)[0];
      if (ours != theirs) {
        return new Verdict.Different("GICC_IAR", Script.hex(ours), Script.hex(theirs));
      }
      if (GiccRegisters.INTERRUPT_ID.get(ours) >= SPURIOUS) {
        break;
      }
      long eoir = Board.GICC + GiccRegisters.EOIR.offset();
      model.write(eoir, ours, Integer.BYTES);
      other.write(eoir, ours, Integer.BYTES);
    }
    return compare("interrupts were acknowledged");
  }

  private Verdict compare(String after) {
    if (!settled) {
      return Verdict.SAME;
    }
    long[] ours = model.read(watch.registers());
    long[] theirs = other.read(watch.registers());
    for (int i = 0; i < ours.length; i++) {
      if (((ours[i] ^ theirs[i]) & watch.registers().get(i).compared()) != 0) {
        return new Verdict.Different(
            watch.registers().get(i).name() + " after " + after,
            Script.hex(ours[i]),
            Script.hex(theirs[i]));
      }
    }
    for (Range r : watch.tables()) {
      byte[] mine = new byte[r.bytes()];
      byte[] his = new byte[r.bytes()];
      model.memory().read(r.address(), mine);
      other.memory().read(r.address(), his);
      int at = Arrays.mismatch(mine, his);
      if (at >= 0) {
        long word = r.address() + (at & -WORD);
        return new Verdict.Different(
            "%s at %s after %s".formatted(r.name(), Script.hex(word), after),
            Script.hex(model.memory().read64(word)),
            Script.hex(other.memory().read64(word)));
      }
    }
    return Verdict.SAME;
  }
}
