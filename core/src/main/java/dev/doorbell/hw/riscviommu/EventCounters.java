package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// Performance monitoring: counters of events, and one of cycles, which here are requests and readings of the counter itself. Any number of threads may count; one that counts
/// nothing looks at one word. After reset all are inhibited.
///
/// An event of walks is one walk of a directory or of one stage's tables, however many entries it reads.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 6.16 to 6.20 (`iocountovf`, `iocountinh`, `iohpmcycles`, `iohpmctr1-31`, `iohpmevt1-31`).
final class EventCounters {
  /// `eventID`.
  static final int UNTRANSLATED = 1;

  static final int TRANSLATED = 2;
  static final int TRANSLATION_REQUEST = 3;
  static final int TLB_MISS = 4;
  static final int DEVICE_WALK = 5;
  static final int PROCESS_WALK = 6;
  static final int FIRST_STAGE_WALK = 7;
  static final int SECOND_STAGE_WALK = 8;

  /// An id that a request has not.
  static final int NONE = -1;

  private static final int ALL_INHIBITED = -1;
  private static final long DID_BITS = EVENT_DID.max();

  /// Events that can be told apart by GSCID and PSCID.
  private static final int BY_SPACE =
      1 << TLB_MISS | 1 << FIRST_STAGE_WALK | 1 << SECOND_STAGE_WALK;

  private final AtomicLongArray counts = new AtomicLongArray(COUNTERS);
  private final AtomicLongArray events = new AtomicLongArray(COUNTERS);

  /// `iohpmcycles`, the overflow bit included.
  private final AtomicLong cycles = new AtomicLong();

  private final boolean present;
  private volatile int inhibits = ALL_INHIBITED;

  /// Whether anything counts.
  private volatile boolean counting;

  private volatile boolean overflowed;

  /// @param present `capabilities.HPM`
  EventCounters(boolean present) {
    this.present = present;
  }

  /// Lets the registers answer, where there are any.
  void wire(RegisterPorts ports) {
    if (!present) {
      return;
    }
    ports.on(IOCOUNTOVF, _ -> overflows());
    ports.on(IOCOUNTINH, _ -> Integer.toUnsignedLong(inhibits), (_, v) -> inhibit((int) v));
    ports.on(IOHPMCYCLES, _ -> readCycles(), (_, v) -> cycles.set(v));
    ports.on(IOHPMCTR, counts::get, counts::set);
    ports.on(IOHPMEVT, events::get, this::select);
  }

  private long overflows() {
    long out = CYCLE_OF.get(cycles.get());
    for (int i = 0; i < COUNTERS; i++) {
      out |= EVENT_OF.get(events.get(i)) << (i + 1);
    }
    return out;
  }

  private void inhibit(int value) {
    inhibits = value;
    refresh();
  }

  /// An event that is none of the standard leaves the one that was selected.
  private void select(int counter, long value) {
    boolean known = EVENT_ID.get(value) <= SECOND_STAGE_WALK;
    events.set(counter, known ? value : EVENT_ID.with(value, EVENT_ID.get(events.get(counter))));
    refresh();
  }

  private void refresh() {
    boolean any = (inhibits & 1) == 0;
    for (int i = 0; i < COUNTERS && !any; i++) {
      any = isOn(i) && EVENT_ID.get(events.get(i)) != 0;
    }
    counting = any;
  }

  private boolean isOn(int counter) {
    return (inhibits >>> (counter + 1) & 1) == 0;
  }

  private long readCycles() {
    tick();
    return cycles.get();
  }

  private void tick() {
    if ((inhibits & 1) != 0) {
      return;
    }
    long before =
        cycles.getAndUpdate(c -> CYCLE_COUNT.get(c) == CYCLE_COUNT.max() ? CYCLE_OF.mask() : c + 1);
    if (CYCLE_COUNT.get(before) == CYCLE_COUNT.max() && !CYCLE_OF.isSet(before)) {
      overflowed = true;
    }
  }

  /// Counts a request, or a walk of a directory.
  ///
  /// @param processId of the request; negative for none
  void count(int event, int deviceId, int processId) {
    if (counting) {
      if (event <= TRANSLATION_REQUEST) {
        tick();
      }
      count(event, deviceId, processId, NONE, NONE);
    }
  }

  /// Counts what happens on a request's way through the stages of a context.
  ///
  /// @param processId of the request; negative for none
  void count(int event, DeviceContext c, int processId) {
    if (counting) {
      count(
          event,
          c.deviceId(),
          processId,
          c.hasSecond() ? c.gscid() : NONE,
          c.hasFirst() ? c.pscid() : NONE);
    }
  }

  private void count(int event, int deviceId, int processId, int gscid, int pscid) {
    for (int i = 0; i < COUNTERS; i++) {
      long selected = events.get(i);
      if (EVENT_ID.get(selected) != event || !isOn(i)) {
        continue;
      }
      boolean bySpace = EVENT_IDT.isSet(selected);
      boolean matches =
          bySpace
              ? (BY_SPACE >>> event & 1) != 0 && matches(selected, gscid, pscid)
              : matches(selected, deviceId, processId);
      if (matches && counts.incrementAndGet(i) == 0) {
        long before = events.getAndUpdate(i, e -> e | EVENT_OF.mask());
        if (!EVENT_OF.isSet(before)) {
          overflowed = true;
        }
      }
    }
  }

  /// @param wide a device_id or GSCID
  /// @param narrow a process_id or PSCID
  private static boolean matches(long selected, int wide, int narrow) {
    if (EVENT_PV.isSet(selected) && (narrow < 0 || narrow != EVENT_PID.get(selected))) {
      return false;
    }
    if (!EVENT_DV.isSet(selected)) {
      return true;
    }
    long wanted = EVENT_DID.get(selected);
    // The bits up to the lowest that is zero, it included, are not looked at.
    long ignored = EVENT_DMASK.isSet(selected) ? wanted ^ wanted + 1 : 0;
    return wide != NONE && ((wide ^ wanted) & ~ignored & DID_BITS) == 0;
  }

  /// {@return whether a counter has overflowed and wants to interrupt}
  boolean overflowed() {
    return overflowed;
  }

  /// {@return the same, which is forgotten then}
  boolean takeOverflow() {
    if (!overflowed) {
      return false;
    }
    overflowed = false;
    return true;
  }
}
