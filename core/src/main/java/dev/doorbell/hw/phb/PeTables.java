package dev.doorbell.hw.phb;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Rollback;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/// The tables of a bridge, in it and in memory: which PE a requester id is, a PE's windows and state. Registers that generations share are at the same
/// places. Each requester id that is used has a PE
/// of its own, for good; all others are the last PE, which may do nothing. Safe for use from many threads: one access of a table is two of registers.
///
/// **Source**: skiboot 7.1 `hw/phb4.c` (`phb4_init_ioda3`, `phb4_ioda_reset`, `phb4_set_ive_pe`, `phb4_tce_kill`, `phb4_eeh_freeze_status`,
/// `phb4_eeh_freeze_clear`, `phb4_err_clear`).
abstract sealed class PeTables permits Phb3Tables, Phb4Tables {
  private static final int POLLS = 1_000_000;

  /// The first PE: interrupts that were never given to one are PE 0's.
  private static final int FIRST = 1;

  /// What PHB_PELTV_BAR can name.
  private static final long LEAST_ALIGNMENT = 0x2000;

  private static final long RTT_BYTES = (long) RttLayout.ENTRIES * RttLayout.BYTES;

  final ReentrantLock lock = new ReentrantLock();
  final PhysicalMemory memory;
  private final String id;
  private final RegisterBus bus;
  final Frames frames;
  private final int pes;
  private final Pa rtt;
  private final Pa peltv;
  private final Pa pest;
  private final Map<Integer, Integer> byRid = new TreeMap<>();

  /// Requester ids whose PE the bridge may not have heard of.
  private final Set<Integer> untold = new HashSet<>();

  private final Map<Integer, PeWindows> windows = new HashMap<>();

  /// @param pes a multiple of 64
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory; nothing is kept then
  PeTables(String id, RegisterBus bus, PhysicalMemory memory, Frames frames, int pes) {
    this.id = id;
    this.bus = bus;
    this.memory = memory;
    this.frames = frames;
    this.pes = pes;
    try (Rollback rollback = new Rollback()) {
      rtt = take(RTT_BYTES, rollback);
      peltv = take(rowBytes() * pes, rollback);
      pest = take((long) pes * PestLayout.BYTES, rollback);
      rollback.commit();
    }
  }

  private Pa take(long bytes, Rollback rollback) {
    Pa at = take(bytes);
    rollback.add(() -> frames.free(at, bytes));
    return at;
  }

  /// {@return memory for a table, at a multiple of its size}
  final Pa take(long bytes) {
    return frames.allocate(bytes, Math.max(bytes, LEAST_ALIGNMENT));
  }

  /// Gives all memory back, of tables that the bridge does not know of.
  void release() {
    frames.free(rtt, RTT_BYTES);
    frames.free(peltv, rowBytes() * pes);
    frames.free(pest, (long) pes * PestLayout.BYTES);
  }

  private long rowBytes() {
    return pes / Byte.SIZE;
  }

  /// {@return the name of the bridge's DMA side}
  String id() {
    return id;
  }

  int pes() {
    return pes;
  }

  /// {@return the PE that stands for whoever has none}
  int nobody() {
    return pes - 1;
  }

  /// Tells the bridge whose its interrupts are, and where they go. The lock is held.
  abstract void startInterrupts();

  /// {@return where the parts of the bridge keep their errors}
  abstract List<Register> errors();

  /// {@return where they keep which came first, and what is known of it}
  abstract List<Register> details();

  /// Lets messages in. The lock is held.
  abstract void enableMessages();

  /// Has the bridge forget a PE's TCEs, or more, and returns when no access goes by one. The lock is held.
  abstract void killOf(int pe);

  /// Has the bridge forget every TCE, and returns when no access goes by one. The lock is held.
  abstract void killEvery();

  /// {@return the entry of a window whose addresses are physical}
  abstract long untranslated();

  /// Gives an interrupt to a PE. It is off afterwards.
  abstract void own(int number, int pe);

  /// Adds what is known of interrupts that are in use. The lock is held.
  abstract void addInterrupts(Map<String, Long> out);

  /// Tells the bridge everything for the first time. When that fails it is told of no tables, which one that is fenced has forgotten, and their memory is
  /// given back.
  ///
  /// @throws PhbException when the bridge is fenced, or does not do what it is told
  final void open() {
    try {
      start();
    } catch (RuntimeException failed) {
      forgetTables();
      release();
      throw failed;
    }
  }

  /// Tells the bridge that there are no tables.
  void forgetTables() {
    put(Phb4Registers.RTT_BAR, 0);
    put(Phb4Registers.PELTV_BAR, 0);
    put(Phb4Registers.PEST_BAR, 0);
  }

  /// Tells the bridge everything anew, as after a reset.
  final void start() {
    lock.lock();
    try {
      writeRtt();
      put(Phb4Registers.RTT_BAR, Phb4Registers.RTT_ENABLE.mask() | rtt.value());
      put(Phb4Registers.PELTV_BAR, Phb4Registers.PELTV_ENABLE.mask() | peltv.value());
      put(Phb4Registers.PEST_BAR, Phb4Registers.PEST_ENABLE.mask() | pest.value());
      for (int pe = 0; pe < pes; pe++) {
        state(pe, PeState.RUNNING);
        writeWindows(pe);
      }
      startInterrupts();
      put(Phb4Registers.RTC, Phb4Registers.RTC_ALL.mask());
      untold.clear();
      killEvery();
      enableMessages();
    } finally {
      lock.unlock();
    }
  }

  private void writeRtt() {
    for (int rid = 0; rid < RttLayout.ENTRIES; rid++) {
      point(rid, byRid.getOrDefault(rid, nobody()));
    }
    memory.publish();
  }

  private void point(int rid, int pe) {
    memory.write(
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
      throw PhbException.noPe(id, rid, pes - FIRST - 1);
    }
    long word = peltv.value() + pe * rowBytes() + pe / PeVectorLayout.PER_WORD * (long) Long.BYTES;
    memory.write64(word, PeVectorLayout.swapped(PeVectorLayout.bit(pe % PeVectorLayout.PER_WORD)));
    point(rid, pe);
    memory.publish();
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

  /// {@return a PE's windows}
  PeWindows windows(int pe) {
    lock.lock();
    try {
      return windows.getOrDefault(pe, PeWindows.CLOSED);
    } finally {
      lock.unlock();
    }
  }

  private void writeWindows(int pe) {
    PeWindows w = windows.getOrDefault(pe, PeWindows.CLOSED);
    write(Phb4Registers.TVT, pe * TveLayout.PER_PE, w.first());
    write(Phb4Registers.TVT, pe * TveLayout.PER_PE + 1, w.second());
  }

  /// Sets a PE's windows, and returns when no access goes by the former ones. The change is one step for each of them.
  void windows(int pe, PeWindows wanted) {
    lock.lock();
    try {
      windows.put(pe, wanted);
      writeWindows(pe);
      killOf(pe);
    } finally {
      lock.unlock();
    }
  }

  /// Returns when the bridge has forgotten every TCE, and no access goes by one.
  void killAll() {
    lock.lock();
    try {
      killEvery();
    } finally {
      lock.unlock();
    }
  }

  /// Lets a PE go on, once the bridge has forgotten what went wrong.
  void thaw(int pe) {
    lock.lock();
    try {
      clearErrors();
      state(pe, PeState.RUNNING);
    } finally {
      lock.unlock();
    }
  }

  private void clearErrors() {
    if (get(Phb4Registers.ETU_ERR_SUMMARY) == 0) {
      return;
    }
    long fir = get(Phb4Registers.LEM_FIR_ACCUM);
    errors().forEach(r -> put(r, get(r)));
    details().forEach(r -> put(r, 0));
    put(Phb4Registers.LEM_FIR_AND_MASK, ~fir);
    put(Phb4Registers.LEM_WOF, 0);
  }

  /// Stops a PE as it was stopped before, or lets it go on.
  void state(int pe, PeState state) {
    lock.lock();
    try {
      long at = pest.value() + (long) pe * PestLayout.BYTES;
      memory.write64(at, PestLayout.swapped(state.a()));
      memory.write64(at + Long.BYTES, PestLayout.swapped(state.b()));
      memory.publish();
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
      long cause = PestLayout.swapped(memory.read64(at));
      boolean its = PestLayout.MMIO_FROZEN.isSet(cause & a);
      return its
          ? new PeState(a | cause, b | PestLayout.swapped(memory.read64(at + Long.BYTES)))
          : new PeState(a, b);
    } finally {
      lock.unlock();
    }
  }

  /// {@return why a PE is stopped, if it is}
  Optional<PeStop> stopped(int pe) {
    return Optional.of(state(pe)).filter(PeState::isStopped).map(s -> PeStop.of(pe, s));
  }

  /// {@return whether the bridge has cut itself off}
  boolean isFenced() {
    return bus.read64(Phb4Registers.CPU_LOADSTORE_STATUS.offset()) == Phb4Registers.FENCED;
  }

  /// {@return what the bridge itself has of PEs and interrupts that are in use, by name: `TVT<n>`, `PESTB<n>`, and of interrupts `MIST<n>` and `PQ<n>`}
  Map<String, Long> own() {
    lock.lock();
    try {
      Map<String, Long> out = new TreeMap<>();
      for (int pe : byRid.values()) {
        for (int i = 0; i < TveLayout.PER_PE; i++) {
          int window = pe * TveLayout.PER_PE + i;
          out.put("TVT" + window, read(Phb4Registers.TVT, window));
        }
        out.put("PESTB" + pe, read(Phb4Registers.PESTB, pe));
      }
      addInterrupts(out);
      return out;
    } finally {
      lock.unlock();
    }
  }

  final long read(int table, int index) {
    put(
        Phb4Registers.IODA_ADDR,
        Phb4Registers.IODA_TSEL.place(table) | Phb4Registers.IODA_TADR.place(index));
    return get(Phb4Registers.IODA_DATA0);
  }

  final void write(int table, int index, long value) {
    put(
        Phb4Registers.IODA_ADDR,
        Phb4Registers.IODA_TSEL.place(table) | Phb4Registers.IODA_TADR.place(index));
    put(Phb4Registers.IODA_DATA0, value);
  }

  /// Returns when accesses that were in flight have ended.
  final void sync() {
    put(Phb4Registers.DMARD_SYNC, Phb4Registers.SYNC_START.mask());
    await(
        Phb4Registers.DMARD_SYNC,
        Phb4Registers.SYNC_COMPLETE.mask(),
        Phb4Registers.SYNC_COMPLETE.mask());
  }

  final void await(Register r, long mask, long wanted) {
    long last = 0;
    for (int i = 0; i < POLLS; i++) {
      last = get(r);
      if ((last & mask) == wanted) {
        return;
      }
      Thread.onSpinWait();
    }
    throw PhbException.timeout(id, r.name(), last, POLLS);
  }

  final long get(Register r) {
    long value = bus.read64(r.offset());
    if (value == Phb4Registers.FENCED) {
      throw PhbException.fenced(id, r.name());
    }
    return value;
  }

  final void put(Register r, long value) {
    bus.write64(r.offset(), value);
  }
}
