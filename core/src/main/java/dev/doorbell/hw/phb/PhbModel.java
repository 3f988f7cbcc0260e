package dev.doorbell.hw.phb;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;

/// What host bridges do alike: a requester id has a PE (RTT), a PE its two windows (TVT) and its interrupts. What a PE may not do stops it, until software
/// lets it go on. Registers that generations share are at the same places ({@link Phb4Registers}).
///
/// PEs of requester ids and TCEs are kept until they are invalidated. A write of PHB_TCE_KILL, PHB_RTC_INVALIDATE or PHB_DMARD_SYNC returns when the
/// accesses that were in flight have ended. An MMIO freeze is recorded, and functions' registers can be read nevertheless. A stop sets
/// no bit of the error registers, as no source tells which.
public abstract sealed class PhbModel implements MmioDevice, Translator
    permits Phb3Model, Phb4Model {
  private static final int UNKNOWN = -1;

  final RegisterPorts ports;
  private final PhysicalMemory memory;
  private final RegisterMap map;
  private final AccessGate gate = new AccessGate();
  private final AtomicLongArray values =
      new AtomicLongArray((int) (Phb4Registers.BYTES / Long.BYTES));
  private final AtomicIntegerArray pes = new AtomicIntegerArray(RttLayout.ENTRIES);
  private final TceCacheModel cache = new TceCacheModel();
  private final IodaTablesModel tables;
  private volatile boolean fenced;

  PhbModel(PhysicalMemory memory, RegisterMap map, IodaTablesModel tables) {
    this.memory = memory;
    this.map = map;
    this.tables = tables;
    ports = new RegisterPorts(map);
    for (Register r : map.registers()) {
      int at = (int) (r.offset() / Long.BYTES);
      ports.on(r, _ -> values.get(at), (_, v) -> values.set(at, r.legalize(values.get(at), v)));
      set(r, r.reset());
    }
    ports.on(its(Phb4Registers.IODA_ADDR), _ -> tables.select(), (_, v) -> tables.select(v));
    ports.on(its(Phb4Registers.IODA_DATA0), _ -> tables.read(), (_, v) -> tables.write(v));
    ports.on(
        its(Phb4Registers.CPU_LOADSTORE_STATUS),
        _ -> Phb4Registers.ANY_FREEZE.place(tables.anyError() ? 1 : 0));
    ports.on(its(Phb4Registers.ETU_ERR_SUMMARY), _ -> hasErrors() ? 1 : 0);
    ports.on(
        its(Phb4Registers.LEM_FIR_AND_MASK),
        _ -> 0,
        (_, v) -> set(Phb4Registers.LEM_FIR_ACCUM, get(Phb4Registers.LEM_FIR_ACCUM) & v));
    ports.on(its(Phb4Registers.RTC), _ -> 0, (_, v) -> forget(v));
    ports.on(its(Phb4Registers.TCE_KILL), _ -> 0, (_, _) -> kill());
    ports.on(
        its(Phb4Registers.DMARD_SYNC),
        _ -> Phb4Registers.SYNC_COMPLETE.mask(),
        (_, _) -> gate.drain());
    forget(Phb4Registers.RTC_ALL.mask());
  }

  /// {@return the register of this bridge that is where a PHB4 has one}
  private Register its(Register common) {
    return map.find(common.offset()).orElseThrow().register();
  }

  /// {@return where its parts keep their errors}
  abstract List<Register> errors();

  private boolean hasErrors() {
    boolean any = get(Phb4Registers.LEM_FIR_ACCUM) != 0;
    for (Register r : errors()) {
      any |= get(r) != 0;
    }
    return any;
  }

  /// {@return whether an entry without a page size opens its window}
  abstract boolean isOpen(long tve);

  /// {@return whether a PE has an interrupt}
  abstract boolean owns(int pe, int number);

  /// A message of its owner raises an interrupt.
  abstract void raise(int number);

  /// Puts what a subclass keeps into the state after a reset.
  abstract void resetInterrupts();

  /// An error that it cannot pin on a PE: nothing passes and registers read as ones, until {@link #reset}.
  public final void fence() {
    fenced = true;
  }

  /// What the reset of its ETU does, which is a register of another part of the chip.
  public final void reset() {
    tables.reset();
    resetInterrupts();
    for (Register r : map.registers()) {
      if (r.access() != Access.RO) {
        set(r, r.reset());
      }
    }
    forget(Phb4Registers.RTC_ALL.mask());
    cache.clear();
    fenced = false;
  }

  /// Returns when accesses that are in flight have ended.
  final void drain() {
    gate.drain();
  }

  /// Twice: an access that was in flight may have kept what it read before.
  private void forget(long what) {
    for (int round = 0; round < 2; round++) {
      if (Phb4Registers.RTC_ALL.isSet(what)) {
        for (int rid = 0; rid < pes.length(); rid++) {
          pes.set(rid, UNKNOWN);
        }
      } else {
        pes.set(Phb4Registers.RTC_RID.getInt(what), UNKNOWN);
      }
      gate.drain();
    }
  }

  /// Forgets more than it is asked to: entries of all PEs. Twice: an access that was in flight may have kept an entry of a window that it had read
  /// before.
  private void kill() {
    for (int round = 0; round < 2; round++) {
      cache.clear();
      gate.drain();
    }
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!ports.answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    return BusRead.ok(fenced ? Phb4Registers.FENCED : ports.read(offset, bytes));
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    if (fenced) {
      return BusOutcome.OK;
    }
    int held = gate.arrive();
    try {
      ports.write(offset, value, bytes);
    } finally {
      gate.depart(held);
    }
    return BusOutcome.OK;
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
    int pe = pe(streamId);
    if (pe == UNKNOWN || fenced || tables.isStopped(pe)) {
      return FAULT;
    }
    int type = (access & WRITE) != 0 ? PestLayout.DMA_WRITE : PestLayout.DMA_READ;
    if (TveLayout.KIND.get(iova) != 0 || isLowMessage(iova)) {
      return stop(pe, type, PestLayout.IODA3_ERROR.mask(), streamId, iova);
    }
    int window = TveLayout.index(pe, iova);
    long tve = tables.tve(window);
    long offset = TveLayout.OFFSET.get(iova);
    if (TveLayout.IO_PSIZE.get(tve) == 0) {
      return isOpen(tve) && TveLayout.holds(tve, offset)
          ? TveLayout.REAL_ADDRESS.get(offset)
          : stop(pe, type, PestLayout.IODA3_ERROR.mask(), streamId, iova);
    }
    long tce = entry(window, tve, offset);
    if (!TceLayout.isValid(tce)) {
      return stop(pe, type, PestLayout.TCE_PAGE_FAULT.mask(), streamId, iova);
    }
    boolean refused =
        (access & READ) != 0 && !TceLayout.READ.isSet(tce)
            || (access & WRITE) != 0 && !TceLayout.WRITE.isSet(tce);
    if (refused) {
      return stop(pe, type, PestLayout.TCE_ACCESS_FAULT.mask(), streamId, iova);
    }
    long page = 1L << TveLayout.pageShift(tve);
    return (TceLayout.RPN.get(tce) & -page) + (offset & page - 1);
  }

  private boolean isLowMessage(long address) {
    return Phb4Registers.MSI32_EN.isSet(get(Phb4Registers.CONFIG))
        && PhbMessageLayout.LOW_REGION.get(address) == PhbMessageLayout.REGION;
  }

  private long entry(int window, long tve, long offset) {
    long page = offset >>> TveLayout.pageShift(tve);
    long kept = cache.find(window, page);
    if (kept != TceCacheModel.MISS) {
      return kept;
    }
    long since = cache.generation();
    long tce = walk(tve, page);
    if (TceLayout.isValid(tce)) {
      cache.keep(window, page, tce, since);
    }
    return tce;
  }

  /// {@return the entry of a page; 0 when a table on the way has none}
  private long walk(long tve, long page) {
    int level = TveLayout.NUM_LEVELS.getInt(tve);
    int bits = TveLayout.entriesShift(tve);
    if (level > TveLayout.MOST_LEVELS
        || TveLayout.TABLE_SIZE.get(tve) == 0
        || shifted(page, bits * (level + 1)) != 0) {
      return 0;
    }
    long table = TveLayout.table(tve);
    try {
      for (; ; level--) {
        long index = shifted(page, bits * level) & (1L << bits) - 1;
        long tce = TceLayout.swapped(memory.read64(table + index * TceLayout.BYTES));
        if (level == 0 || !TceLayout.isValid(tce)) {
          return tce;
        }
        table = TceLayout.RPN.get(tce);
      }
    } catch (BusErrorException e) {
      return 0;
    }
  }

  private static long shifted(long value, int by) {
    return by < Long.SIZE ? value >>> by : 0;
  }

  @Override
  public boolean isMessage(long address) {
    long config = get(Phb4Registers.CONFIG);
    return PhbMessageLayout.isMessage(address)
        && (PhbMessageLayout.MSI.isSet(address)
            ? Phb4Registers.MSI64_EN.isSet(config)
            : Phb4Registers.MSI32_EN.isSet(config));
  }

  @Override
  public BusOutcome message(int streamId, long address, long value, int bytes) {
    int pe = pe(streamId);
    if (pe == UNKNOWN || fenced || tables.isStopped(pe)) {
      return BusOutcome.ERROR;
    }
    int number = PhbMessageLayout.number(address, (int) value);
    if (!owns(pe, number)) {
      long data = PestLayout.MSI_DATA.place(value & PestLayout.MSI_DATA.max());
      stop(pe, PestLayout.MSI, PestLayout.IODA3_ERROR.mask() | data, streamId, address);
      return BusOutcome.ERROR;
    }
    raise(number);
    return BusOutcome.OK;
  }

  /// {@return the PE of a requester id; UNKNOWN when the bridge has no table of them}
  private int pe(int rid) {
    int known = pes.get(rid);
    if (known != UNKNOWN) {
      return known;
    }
    long bar = get(Phb4Registers.RTT_BAR);
    if (!Phb4Registers.RTT_ENABLE.isSet(bar)) {
      return UNKNOWN;
    }
    try {
      long rte =
          memory.read(
              Phb4Registers.RTT_BASE.get(bar) + (long) rid * RttLayout.BYTES, RttLayout.BYTES);
      int pe = RttLayout.PE.getInt(RttLayout.swapped(rte));
      if (pe >= tables.pes()) {
        return UNKNOWN;
      }
      pes.set(rid, pe);
      return pe;
    } catch (BusErrorException e) {
      return UNKNOWN;
    }
  }

  private long stop(int pe, int type, long why, int rid, long address) {
    long pest = get(Phb4Registers.PEST_BAR);
    long peltv = get(Phb4Registers.PELTV_BAR);
    tables.stop(
        pe,
        PestLayout.MMIO_FROZEN.mask()
            | PestLayout.TTYPE.place(type)
            | PestLayout.RID.place(rid)
            | why,
        PestLayout.DMA_STOPPED.mask()
            | PestLayout.FAIL_ADDR.place(address & PestLayout.FAIL_ADDR.max()),
        Phb4Registers.PEST_ENABLE.isSet(pest) ? Phb4Registers.PEST_BASE.get(pest) : 0,
        Phb4Registers.PELTV_ENABLE.isSet(peltv) ? Phb4Registers.PELTV_BASE.get(peltv) : 0);
    return FAULT;
  }

  final long get(Register r) {
    return values.get((int) (r.offset() / Long.BYTES));
  }

  final void set(Register r, long value) {
    values.set((int) (r.offset() / Long.BYTES), value);
  }
}
