package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.irq.X86MessageLayout;
import java.util.ArrayList;
import java.util.List;

/// The steps of a scenario of a PC, as they come to be.
final class PcDraft {
  private static final int INDEX_BITS = 9;
  private static final int PAGE_BITS = 12;
  private static final int DATA_BITS = 16;

  final Dice dice;
  private final List<Step> steps = new ArrayList<>();
  private final long unit;
  private int datum;

  /// @param unit where the registers are
  PcDraft(long seed, long unit) {
    this.dice = new Dice(seed);
    this.unit = unit;
  }

  List<Step> steps() {
    return steps;
  }

  void write(Register r, long value) {
    steps.add(new Step.Write(unit + r.offset(), r.bytes(), value));
  }

  void read(Register r) {
    steps.add(new Step.Read(unit + r.offset(), r.bytes()));
  }

  void store(long address, Long... words) {
    steps.add(new Step.Store(address, List.of(words)));
  }

  void command(long low, long high) {
    steps.add(new Step.Command(List.of(low, high)));
  }

  /// Clears all that scenarios use.
  void clear() {
    steps.add(new Step.Clear(Pc.ARENA, Pc.TARGETS - Pc.ARENA + Pc.TARGET_BYTES));
  }

  /// A device's write to memory, by a datum that no other one of the last ones has.
  void write(int requester, long address) {
    datum = datum % ((1 << DATA_BITS) - 1) + 1;
    long at = Pc.isMessage(address) ? address ^ 1L << 2 * PAGE_BITS : address;
    steps.add(new Step.Message(requester, at, datum));
  }

  /// A message.
  void message(int requester, long address, int data) {
    steps.add(
        new Step.Message(
            requester, address | X86MessageLayout.FEE.place(X86MessageLayout.WINDOW), data));
  }

  /// {@return where a leaf may lead: mostly to where it does no harm}
  long target() {
    return dice.percent(4)
        ? Pc.NOWHERE
        : Pc.TARGETS + (long) dice.below(Pc.TARGET_BYTES / Pc.PAGE) * Pc.PAGE;
  }

  /// {@return an address whose indexes are among a few}
  long address(int levels, int... indexes) {
    long out = (long) Integer.BYTES * dice.below(Pc.PAGE / Integer.BYTES);
    for (int level = 1; level <= levels; level++) {
      out |= (long) dice.of(indexes) << PAGE_BITS + INDEX_BITS * (level - 1);
    }
    return out;
  }
}
