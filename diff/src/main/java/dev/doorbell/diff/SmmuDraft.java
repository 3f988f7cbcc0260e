package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// An SMMU scenario as far as it is made, and the words in which it is told.
final class SmmuDraft {
  final Dice dice;
  final List<Step> steps = new ArrayList<>();
  final List<SmmuStream> streams = new ArrayList<>();
  final TableSlots slots =
      new TableSlots(
          Board.TABLES,
          Board.TABLES + (long) Board.TABLE_SLOTS * Board.TABLE_SLOT,
          Board.TABLE_SLOT);
  final TableSlots outerSlots =
      new TableSlots(Board.OUTER_TABLES, Board.TARGETS, 1 << StreamSpace.LOG2_LEAST_GRANULE);
  private int messages;
  private int asids;
  private final boolean reads;

  /// @param reads whether half of the devices' accesses are reads
  SmmuDraft(Dice dice, boolean reads) {
    this.dice = dice;
    this.reads = reads;
  }

  /// {@return how many messages it has, reads among them}
  int messages() {
    return messages;
  }

  /// One address space, one ASID: tables of another under the same ASID would be software's error. Eight bits or sixteen.
  int freshAsid() {
    asids++;
    return dice.percent(80) ? asids : asids << 9;
  }

  long target() {
    return Board.TARGETS + (dice.bits(23) & -(long) Board.PAGE);
  }

  void message(SmmuStream s) {
    message(s, address(s));
  }

  void message(SmmuStream s, long near) {
    messages++;
    long page = near & -(long) Board.PAGE;
    if (reads && dice.percent(50)) {
      steps.add(new Step.Fetch(s.id, page | (long) messages * Integer.BYTES));
      return;
    }
    steps.add(new Step.Message(s.id, page | (long) messages * Integer.BYTES, 0x8000 | messages));
  }

  long address(SmmuStream s) {
    if (s.space.leaves.isEmpty() || dice.percent(4)) {
      return dice.bits(dice.of(64, 48, 40, 32));
    }
    StreamSpace.Entry leaf = dice.of(s.space.leaves);
    return switch (dice.below(16)) {
      case 0 -> leaf.iova + (1L << s.space.shift(leaf.level));
      case 1 -> leaf.iova | dice.bits(Byte.SIZE) << (Long.SIZE - Byte.SIZE);
      case 2 -> leaf.iova | -1L << s.space.inputBits;
      case 3 -> leaf.iova ^ 1L << dice.below(Long.SIZE);
      case 4 -> target();
      default -> leaf.iova;
    };
  }

  void store(long address, long[] words) {
    List<Long> copy = new ArrayList<>();
    for (long w : words) {
      copy.add(w);
    }
    steps.add(new Step.Store(address, Collections.unmodifiableList(copy)));
  }

  void command(long word0, long word1) {
    steps.add(new Step.Command(List.of(word0, word1)));
  }

  void write(Register register, long value) {
    steps.add(new Step.Write(Board.SMMU + register.offset(), register.bytes(), value));
  }

  void read(Register register) {
    steps.add(new Step.Read(Board.SMMU + register.offset(), register.bytes()));
  }
}
