package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import org.jspecify.annotations.Nullable;

/// One partitionable endpoint: its windows, and whether it was stopped. What it may not do stops it (EEH).
///
/// A change of TCEs is told to be done when the accesses that were in flight have ended. Allocates nothing on accesses.
final class PeModel implements Translator {
  private static final int PAGE_4K = 12;

  private final long liobn;
  private final TceTableModel first;
  private final PaprInterruptsModel interrupts;
  private final AccessGate gate = new AccessGate();
  private volatile @Nullable TceTableModel second;
  private volatile int state = Calls.STATE_NORMAL;

  PeModel(long liobn, AddressRange window, PaprInterruptsModel interrupts) {
    this.liobn = liobn;
    this.interrupts = interrupts;
    first = new TceTableModel(window, PAGE_4K);
  }

  long liobn() {
    return liobn;
  }

  /// {@return the number of the window that it can have besides}
  long secondLiobn() {
    return liobn | 1;
  }

  /// {@return the TCEs of one of its windows; null when it has no such window}
  @Nullable TceTableModel table(long number) {
    if (number == liobn) {
      return first;
    }
    return number == secondLiobn() ? second : null;
  }

  boolean hasSecond() {
    return second != null;
  }

  void second(@Nullable TceTableModel table) {
    second = table;
    drain();
  }

  /// Makes windows what they were at the start.
  void reset() {
    second = null;
    first.clear();
    drain();
  }

  /// Returns when accesses that are in flight have ended.
  void drain() {
    gate.drain();
  }

  int state() {
    return state;
  }

  void state(int next) {
    state = next;
    drain();
  }

  boolean isStopped() {
    return state != Calls.STATE_NORMAL;
  }

  private long stop() {
    state = Calls.STATE_STOPPED;
    return FAULT;
  }

  @Override
  public void begin() {
    gate.enter();
  }

  @Override
  public void end() {
    gate.leave();
  }

  @Override
  public long translate(int streamId, int substreamId, long iova, int access) {
    if (isStopped()) {
      return FAULT;
    }
    TceTableModel wide = second;
    TceTableModel table = wide != null && wide.contains(iova) ? wide : first;
    if (!table.contains(iova)) {
      return stop();
    }
    long tce = table.get(iova);
    boolean refused =
        (access & READ) != 0 && !TceLayout.READ.isSet(tce)
            || (access & WRITE) != 0 && !TceLayout.WRITE.isSet(tce);
    if (refused) {
      return stop();
    }
    long page = 1L << table.shift();
    return TceLayout.RPN.get(tce) & -page | iova & page - 1;
  }

  @Override
  public boolean isMessage(long address) {
    return PaprMessagesModel.isMessage(address);
  }

  /// A message of an interrupt that is another PE's, or nobody's, stops this one.
  @Override
  public BusOutcome message(int streamId, long address, long value, int bytes) {
    if (isStopped()) {
      return BusOutcome.ERROR;
    }
    if (!interrupts.fire((int) value, liobn)) {
      stop();
      return BusOutcome.ERROR;
    }
    return BusOutcome.OK;
  }
}
