package dev.doorbell.hw.phb;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.XicsPort;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/// A PHB3, whose interrupts are entries in memory (IVT), kept in a cache (IVC) from the first message on until PHB_IVC_INVALIDATE names them. P and Q go
/// to the cache and to memory; what software changes in memory the cache learns by PHB_IVC_UPDATE. A read of that register comes back when messages that
/// were in flight have ended. PHB_CONTROL tells how far apart entries are. Allocates nothing for a message.
public final class Phb3Model extends PhbModel {
  /// PEs of a PHB3.
  public static final int PES = 256;

  private final PhysicalMemory memory;
  private final XicsPort servers;
  private final int first;
  private final int interrupts;

  /// No entry has all reserved bits.
  private static final long ABSENT = -1L;

  private final AtomicLongArray cache;

  /// @param servers where interrupts go
  /// @param first the number of interrupt 0 in the machine
  /// @param messages interrupts of messages
  public Phb3Model(PhysicalMemory memory, XicsPort servers, int first, int messages) {
    super(memory, Phb3Registers.MAP, new IodaTablesModel(memory, new EsbModel(0), PES, 0));
    this.memory = memory;
    this.servers = servers;
    this.first = first;
    this.interrupts = messages;
    cache = new AtomicLongArray(messages);
    forgetEntries();
    ports.on(Phb3Registers.IVC_INVALIDATE, _ -> 0, (_, v) -> invalidate(v));
    ports.on(Phb3Registers.IVC_UPDATE, _ -> flushed(), (_, v) -> update(v));
    ports.on(Phb3Registers.FFI_LOCK, _ -> 0);
    ports.on(Phb3Registers.FFI_REQUEST, _ -> 0, (_, v) -> raise(Phb3Registers.FFI_ISN.getInt(v)));
  }

  private long flushed() {
    drain();
    return 0;
  }

  /// {@return where an interrupt's entry is; 0 when it has none}
  private long at(int number) {
    long bar = get(Phb3Registers.IVT_BAR);
    return Phb3Registers.IVT_ENABLE.isSet(bar)
            && number < interrupts
            && number < Phb3Registers.IVT_LENGTH.get(bar)
        ? Phb3Registers.IVT_BASE.get(bar)
            + (long) number * IveLayout.bytes(get(Phb3Registers.CONTROL))
        : 0;
  }

  @Override
  List<Register> errors() {
    return Phb3Registers.ERR_STATUS;
  }

  @Override
  boolean isOpen(long tve) {
    return true;
  }

  private void forgetEntries() {
    for (int n = 0; n < interrupts; n++) {
      cache.set(n, ABSENT);
    }
  }

  private void invalidate(long what) {
    int number = Phb3Registers.INVALIDATE_SID.getInt(what);
    if (Phb3Registers.INVALIDATE_ALL.isSet(what)) {
      forgetEntries();
    } else if (number < interrupts) {
      cache.set(number, ABSENT);
    }
  }

  /// An entry that is not in the cache is read when it is needed.
  private void update(long what) {
    int number = Phb3Registers.SID.getInt(what);
    if (number >= interrupts) {
      return;
    }
    long before = cache.get(number);
    while (before != ABSENT && !cache.compareAndSet(number, before, updated(before, what))) {
      before = cache.get(number);
    }
  }

  private static long updated(long ive, long what) {
    boolean late =
        Phb3Registers.UPDATE_CON.isSet(what)
            && Phb3Registers.GEN_MATCH.get(what) != IveLayout.GEN.get(ive);
    if (late) {
      return ive;
    }
    long out = ive;
    out = part(out, what, Phb3Registers.UPDATE_SERVER, IveLayout.SERVER, Phb3Registers.SERVER);
    out = part(out, what, Phb3Registers.UPDATE_PRI, IveLayout.PRIORITY, Phb3Registers.PRI);
    out = part(out, what, Phb3Registers.UPDATE_GEN, IveLayout.GEN, Phb3Registers.GEN);
    out = part(out, what, Phb3Registers.UPDATE_P, IveLayout.P, Phb3Registers.P);
    return part(out, what, Phb3Registers.UPDATE_Q, IveLayout.Q, Phb3Registers.Q);
  }

  private static long part(long ive, long what, Field enable, Field to, Field from) {
    return enable.isSet(what) ? to.with(ive, from.get(what)) : ive;
  }

  /// {@return an interrupt's entry, from the cache or else from memory}
  private long entry(int number, long at) {
    long cached = cache.get(number);
    if (cached != ABSENT) {
      return cached;
    }
    long read = IveLayout.swapped(memory.read64(at));
    return cache.compareAndSet(number, ABSENT, read) ? read : entry(number, at);
  }

  @Override
  boolean owns(int pe, int number) {
    long at = at(number);
    try {
      return at != 0 && IveLayout.PE.get(entry(number, at)) == pe;
    } catch (BusErrorException nowhere) {
      return false;
    }
  }

  @Override
  void raise(int number) {
    long at = at(number);
    try {
      boolean done = at == 0;
      while (!done) {
        done = send(number, at, entry(number, at));
      }
    } catch (BusErrorException nowhere) {
      // The table is not in memory: there is nobody to be told.
      return;
    }
  }

  /// {@return whether the entry was still the same}
  private boolean send(int number, long at, long ive) {
    if (IveLayout.Q.isSet(ive)) {
      return true;
    }
    int priority = IveLayout.PRIORITY.getInt(ive);
    if (IveLayout.P.isSet(ive) || priority == IveLayout.MASKED) {
      boolean kept = cache.compareAndSet(number, ive, IveLayout.Q.with(ive, 1));
      if (kept) {
        memory.write(at + IveLayout.Q_BYTE, IveLayout.BYTE_Q.mask(), Byte.BYTES);
      }
      return kept;
    }
    if (!cache.compareAndSet(number, ive, IveLayout.P.with(ive, 1))) {
      return false;
    }
    long p = IveLayout.BYTE_GEN.place(IveLayout.GEN.get(ive)) | IveLayout.BYTE_P.mask();
    memory.write(at + IveLayout.P_BYTE, p, Byte.BYTES);
    servers.present(IveLayout.server(ive), first + number, priority);
    return true;
  }

  /// Entries are memory's, and stay; the cache does not.
  @Override
  void resetInterrupts() {
    forgetEntries();
  }
}
