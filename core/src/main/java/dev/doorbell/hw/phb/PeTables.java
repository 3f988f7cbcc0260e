package dev.doorbell.hw.phb;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Rollback;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/// The tables of a bridge, in it and in memory: which PE a requester id is, a PE's windows, interrupts and state. Each requester id that is used has a PE
/// of its own, for good; all others are the last PE, which may do nothing. Safe for use from many threads: one access of a table is two of registers.
///
/// **Source**: skiboot 7.1 `hw/phb4.c` (`phb4_init_ioda3`, `phb4_ioda_reset`, `phb4_set_ive_pe`, `phb4_tce_kill`, `phb4_eeh_freeze_status`).
final class PeTables {
  private static final int POLLS = 1_000_000;

  /// The first PE: interrupts that were never given to one are PE 0's.
  private static final int FIRST = 1;

  /// What PHB_PELTV_BAR can name.
  private static final long LEAST_ALIGNMENT = 0x2000;

  private static final long RTT_BYTES = (long) RttLayout.ENTRIES * RttLayout.BYTES;

  private final Phb4Hardware hw;
  private final RegisterBus bus;
  private final ReentrantLock lock = new ReentrantLock();
  private final int pes;
  private final int interrupts;
  private final Pa rtt;
  private final Pa peltv;
  private final Pa pest;
  private final Map<Integer, Integer> byRid = new TreeMap<>();

  /// Requester ids whose PE the bridge may not have heard of.
  private final Set<Integer> untold = new HashSet<>();

  private final Map<Integer, Long> windows = new HashMap<>();
  private final Map<Integer, Integer> owners = new HashMap<>();

  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory; nothing is kept then
  PeTables(Phb4Hardware hw) {
    this.hw = hw;
    bus = hw.registers();
    pes = Phb4Registers.PES.getInt(get(Phb4Registers.EEH_CAP));
    interrupts = Phb4Registers.IRQS.getInt(get(Phb4Registers.IRQ_CAP));
    try (Rollback rollback = new Rollback()) {
      rtt = take(RTT_BYTES, rollback);
      peltv = take(rowBytes() * pes, rollback);
      pest = take((long) pes * PestLayout.BYTES, rollback);
      rollback.commit();
    }
  }

  private Pa take(long bytes, Rollback rollback) {
    Pa at = hw.frames().allocate(bytes, Math.max(bytes, LEAST_ALIGNMENT));
    rollback.add(() -> hw.frames().free(at, bytes));
    return at;
  }

  private long rowBytes() {
    return pes / Byte.SIZE;
  }

  int pes() {
    return pes;
  }

  /// {@return the PE that stands for whoever has none}
  int nobody() {
    return pes - 1;
  }

  /// Tells the bridge everything anew, as after a reset.
  ///
  /// @param port where it stores its events to
  void start(long port, long base) {
    lock.lock();
    try {
      writeRtt();
      put(Phb4Registers.NOTIFY_ADDR, port);
      put(Phb4Registers.NOTIFY_INDEX, base);
      put(Phb4Registers.RTT_BAR, Phb4Registers.RTT_ENABLE.mask() | rtt.value());
      put(Phb4Registers.PELTV_BAR, Phb4Registers.PELTV_ENABLE.mask() | peltv.value());
      put(Phb4Registers.PEST_BAR, Phb4Registers.PEST_ENABLE.mask() | pest.value());
      put(Phb4Registers.CTRLR, Phb4Registers.IRQ_PGSZ_64K.with(get(Phb4Registers.CTRLR), 1));
      for (int pe = 0; pe < pes; pe++) {
        state(pe, PeState.RUNNING);
        write(Phb4Registers.TVT, pe * TveLayout.PER_PE, windows.getOrDefault(pe, 0L));
        write(Phb4Registers.TVT, pe * TveLayout.PER_PE + 1, 0);
      }
      for (int n = 0; n < interrupts; n++) {
        own(n, owners.getOrDefault(n, nobody()));
      }
      put(Phb4Registers.RTC, Phb4Registers.RTC_ALL.mask());
      untold.clear();
      kill(Phb4Registers.KILL_ALL.mask());
      put(Phb4Registers.CONFIG, Phb4Registers.MSI32_EN.mask() | Phb4Registers.MSI64_EN.mask());
    } finally {
      lock.unlock();
    }
  }

  private void writeRtt() {
    for (int rid = 0; rid < RttLayout.ENTRIES; rid++) {
      point(rid, byRid.getOrDefault(rid, nobody()));
    }
    hw.memory().publish();
  }

  private void point(int rid, int pe) {
    hw.memory()
        .write(
            rtt.value() + (long) rid * RttLayout.BYTES,
            RttLayout.swapped(RttLayout.PE.place(pe)),
            RttLayout.BYTES);
  }

  /// {@return the PE of a requester id, from now on} It stays that requester id's when the bridge cannot be told, and the bridge is told the next time.
  ///
  /// @throws PhbException when all are taken
  int pe(int rid) {
    lock.lock();
    try {
      Integer known = byRid.get(rid);
      int pe = known != null ? known : claim(rid);
      if (untold.contains(rid)) {
        put(Phb4Registers.RTC, Phb4Registers.RTC_RID.place(rid));
        untold.remove(rid);
      }
      return pe;
    } finally {
      lock.unlock();
    }
  }

  private int claim(int rid) {
    int pe = FIRST + byRid.size();
    if (pe >= nobody()) {
      throw PhbException.noPe(hw.id(), rid, pes - FIRST - 1);
    }
    long word = peltv.value() + pe * rowBytes() + pe / PeVectorLayout.PER_WORD * (long) Long.BYTES;
    hw.memory()
        .write64(word, PeVectorLayout.swapped(PeVectorLayout.bit(pe % PeVectorLayout.PER_WORD)));
    point(rid, pe);
    hw.memory().publish();
    byRid.put(rid, pe);
    untold.add(rid);
    return pe;
  }

  /// {@return the PE that a requester id has, if it has one of its own}
  Optional<Integer> known(int rid) {
    lock.lock();
    try {
      return Optional.ofNullable(byRid.get(rid));
    } finally {
      lock.unlock();
    }
  }

  /// {@return a PE's first window}
  long window(int pe) {
    lock.lock();
    try {
      return windows.getOrDefault(pe, 0L);
    } finally {
      lock.unlock();
    }
  }

  /// Sets a PE's first window, and returns when no access goes by the former one. The change is one step for the PE.
  void window(int pe, long tve) {
    lock.lock();
    try {
      windows.put(pe, tve);
      write(Phb4Registers.TVT, pe * TveLayout.PER_PE, tve);
      kill(Phb4Registers.KILL_PE.mask() | Phb4Registers.KILL_PENUM.place(pe));
    } finally {
      lock.unlock();
    }
  }

  /// Returns when the bridge has forgotten every TCE, and no access goes by one.
  void killAll() {
    lock.lock();
    try {
      kill(Phb4Registers.KILL_ALL.mask());
    } finally {
      lock.unlock();
    }
  }

  /// Gives an interrupt to a PE. It is off afterwards, since its state is written along with its owner.
  void own(int number, int pe) {
    lock.lock();
    try {
      long at =
          Phb4Registers.IODA_TSEL.place(Phb4Registers.MIST)
              | Phb4Registers.IODA_MIST_PWV.place(MistLayout.part(number))
              | Phb4Registers.IODA_TADR.place(number / MistLayout.PER_WORD);
      put(Phb4Registers.IODA_ADDR, at);
      put(
          Phb4Registers.IODA_DATA0,
          MistLayout.owner(number).place(pe) | MistLayout.queued(number).mask());
      owners.put(number, pe);
      state(number, EsbRegisters.OFF);
    } finally {
      lock.unlock();
    }
  }

  /// {@return the state of an interrupt before it was set}
  int state(int number, int pq) {
    return (int) hw.esb().read64(EsbRegisters.at(number, EsbRegisters.setting(pq)));
  }

  /// Ends an event; the next one that had come meanwhile is sent.
  void end(int number) {
    hw.esb().read64(EsbRegisters.at(number, EsbRegisters.EOI));
  }

  /// Lets a PE go on.
  void thaw(int pe) {
    state(pe, PeState.RUNNING);
  }

  /// Stops a PE as it was stopped before, or lets it go on.
  void state(int pe, PeState state) {
    lock.lock();
    try {
      long at = pest.value() + (long) pe * PestLayout.BYTES;
      hw.memory().write64(at, PestLayout.swapped(state.a()));
      hw.memory().write64(at + Long.BYTES, PestLayout.swapped(state.b()));
      hw.memory().publish();
      write(Phb4Registers.PESTA, pe, PestLayout.MMIO_FROZEN.mask() & state.a());
      write(Phb4Registers.PESTB, pe, PestLayout.DMA_STOPPED.mask() & state.b());
    } finally {
      lock.unlock();
    }
  }

  /// {@return the state of a PE: that it is stopped, which the bridge knows, and why, which it writes to memory}
  PeState state(int pe) {
    lock.lock();
    try {
      long a = read(Phb4Registers.PESTA, pe) & PestLayout.MMIO_FROZEN.mask();
      long b = read(Phb4Registers.PESTB, pe) & PestLayout.DMA_STOPPED.mask();
      long at = pest.value() + (long) pe * PestLayout.BYTES;
      long cause = PestLayout.swapped(hw.memory().read64(at));
      boolean its = PestLayout.MMIO_FROZEN.isSet(cause & a);
      return its
          ? new PeState(a | cause, b | PestLayout.swapped(hw.memory().read64(at + Long.BYTES)))
          : new PeState(a, b);
    } finally {
      lock.unlock();
    }
  }

  /// {@return why a PE is stopped, if it is}
  Optional<PeStop> stopped(int pe) {
    PeState state = state(pe);
    if (!state.isStopped()) {
      return Optional.empty();
    }
    if (!state.hasCause()) {
      return Optional.of(
          new PeStop(
              pe, OptionalInt.empty(), OptionalLong.empty(), "stopped along with another PE"));
    }
    return Optional.of(
        new PeStop(
            pe,
            OptionalInt.of(PestLayout.RID.getInt(state.a())),
            OptionalLong.of(PestLayout.FAIL_ADDR.get(state.b())),
            PestLayout.A_LAYOUT.decode(state.a()).stream()
                .filter(d -> d.raw() != 0)
                .map(Object::toString)
                .reduce((x, y) -> x + " " + y)
                .orElse("stopped")));
  }

  /// {@return whether the bridge has cut itself off}
  boolean isFenced() {
    return bus.read64(Phb4Registers.CPU_LOADSTORE_STATUS.offset()) == Phb4Registers.FENCED;
  }

  /// {@return what the bridge itself has of PEs and interrupts that are in use, by name: `TVT<n>`, `PESTB<n>`, `MIST<n>`, `PQ<n>`}
  Map<String, Long> own() {
    lock.lock();
    try {
      Map<String, Long> out = new TreeMap<>();
      for (int pe : byRid.values()) {
        int window = pe * TveLayout.PER_PE;
        out.put("TVT" + window, read(Phb4Registers.TVT, window));
        out.put("PESTB" + pe, read(Phb4Registers.PESTB, pe));
      }
      for (Map.Entry<Integer, Integer> owner : owners.entrySet()) {
        int number = owner.getKey();
        int word = number / MistLayout.PER_WORD;
        out.put("MIST" + word, read(Phb4Registers.MIST, word));
        if (owner.getValue() != nobody()) {
          out.put("PQ" + number, hw.esb().read64(EsbRegisters.at(number, EsbRegisters.GET)));
        }
      }
      return out;
    } finally {
      lock.unlock();
    }
  }

  private long read(int table, int index) {
    put(
        Phb4Registers.IODA_ADDR,
        Phb4Registers.IODA_TSEL.place(table) | Phb4Registers.IODA_TADR.place(index));
    return get(Phb4Registers.IODA_DATA0);
  }

  private void write(int table, int index, long value) {
    put(
        Phb4Registers.IODA_ADDR,
        Phb4Registers.IODA_TSEL.place(table) | Phb4Registers.IODA_TADR.place(index));
    put(Phb4Registers.IODA_DATA0, value);
  }

  private void kill(long what) {
    put(Phb4Registers.TCE_KILL, what);
    put(Phb4Registers.DMARD_SYNC, Phb4Registers.SYNC_START.mask());
    await(Phb4Registers.Q_DMA_R, Phb4Registers.TCE_KILL_STATUS.mask(), 0);
    await(
        Phb4Registers.DMARD_SYNC,
        Phb4Registers.SYNC_COMPLETE.mask(),
        Phb4Registers.SYNC_COMPLETE.mask());
  }

  private void await(Register r, long mask, long wanted) {
    long last = 0;
    for (int i = 0; i < POLLS; i++) {
      last = get(r);
      if ((last & mask) == wanted) {
        return;
      }
      Thread.onSpinWait();
    }
    throw PhbException.timeout(hw.id(), r.name(), last, POLLS);
  }

  private long get(Register r) {
    long value = bus.read64(r.offset());
    if (value == Phb4Registers.FENCED) {
      throw PhbException.fenced(hw.id(), r.name());
    }
    return value;
  }

  private void put(Register r, long value) {
    bus.write64(r.offset(), value);
  }
}
