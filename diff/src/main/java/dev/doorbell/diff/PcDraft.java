package dev.doorbell.diff;

import dev.doorbell.irq.X86MessageLayout;

/// The steps of a scenario of a PC, as they come to be.
final class PcDraft extends IommuDraft {
  private static final int INDEX_BITS = 9;
  private static final int PAGE_BITS = 12;

  /// @param unit where the registers are
  PcDraft(long seed, long unit) {
    super(seed, unit);
  }

  /// Clears all that scenarios use.
  void clear() {
    clear(Pc.BOARD.used());
  }

  /// A device's write to memory, by a datum that no other one of the last ones has.
  void write(int requester, long address) {
    send(requester, Pc.isMessage(address) ? address ^ 1L << 2 * PAGE_BITS : address, fresh());
  }

  /// A message.
  void message(int requester, long address, int data) {
    send(requester, address | X86MessageLayout.FEE.place(X86MessageLayout.WINDOW), data);
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
