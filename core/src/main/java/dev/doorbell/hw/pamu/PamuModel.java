package dev.doorbell.hw.pamu;

import static dev.doorbell.hw.pamu.PaaceLayout.AP;
import static dev.doorbell.hw.pamu.PaaceLayout.ATM;
import static dev.doorbell.hw.pamu.PamuRegisters.MAP;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/// A PAMU of one unit. A write of PC, PPBA or SPBA waits for the accesses that are in flight.
///
/// With the gate closed (PC.PGC) it refuses everything, and else, while it is off (PC.PE), it lets everything pass. The first violation is kept in AVS1, AVAH and AVAL
/// until AVS1.AV is cleared, the first entry that cannot be read in POES1 and POEA; later ones are refused and not recorded.
///
/// Where PC allows it, entries that are valid are kept from their first use on, with the geometry that trees give. What is kept is dropped when a base register is written
/// while PC.OCE is 1, and by nothing else: chips that snoop their tables drop an entry as soon as it changes, and whoever is right here is right there.
///
/// **Source**: Linux 6.12 `drivers/iommu/fsl_pamu.h`; Freescale's libos, `include/libos/pamu.h` (PGC, PE, POES1, PICS) and `lib/pamu.c` (what base registers do: erratum A-005982).
public final class PamuModel implements MmioDevice, Translator {
  private static final int MOST_SUBWINDOWS = 256;
  private static final int REFUSED = -1;
  private static final long[] NOTHING = new long[PaaceLayout.WORDS];
  private static final long[] NO_MAPPING = new long[OmtLayout.BYTES / Long.BYTES];

  private final PhysicalMemory memory;
  private final AccessGate gate = new AccessGate();
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private final AtomicLongArray values = new AtomicLongArray((int) (PamuRegisters.BYTES / 4));
  private final PamuViolations violations =
      new PamuViolations(PamuRegisters.AVS1, PamuRegisters.AVS1_AV.mask());
  private final PamuViolations errors =
      new PamuViolations(PamuRegisters.POES1, PamuRegisters.POED.mask());
  private volatile EntryCacheModel primaries = new EntryCacheModel(32, 1);
  private volatile EntryCacheModel secondaries = new EntryCacheModel(128, 2);
  private volatile EntryCacheModel mappings = new EntryCacheModel(OmtLayout.ENTRIES, 1);

  /// @param mostLiodn highest LIODN, below 65536
  public PamuModel(PhysicalMemory memory, int mostLiodn) {
    this.memory = memory;
    for (Register r : MAP.registers()) {
      int at = (int) (r.offset() / Integer.BYTES);
      values.set(at, r.reset());
      ports.on(
          r,
          _ -> values.get(at),
          (_, v) -> values.updateAndGet(at, before -> r.legalize(before, v)));
    }
    set(PamuRegisters.PC2, PamuRegisters.MLIODN.place(mostLiodn));
    set(PamuRegisters.PC3, PamuRegisters.MWCE.place(PaaceLayout.countCode(MOST_SUBWINDOWS)));
    tell(violations, PamuRegisters.AVS1, PamuRegisters.AVAH, PamuRegisters.AVAL);
    tell(errors, PamuRegisters.POES1, PamuRegisters.POEAH, PamuRegisters.POEAL);
  }

  private void tell(PamuViolations of, Register status, Register high, Register low) {
    ports.on(status, _ -> of.status(), (_, v) -> of.written(v));
    ports.on(high, _ -> PaaceLayout.high(of.address()));
    ports.on(low, _ -> Integer.toUnsignedLong((int) of.address()));
  }

  @Override
  public BusRead read(long offset, int bytes) {
    return ports.answers(offset, bytes)
        ? BusRead.ok(ports.read(offset, bytes))
        : BusRead.error(bytes);
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    int held = gate.arrive();
    try {
      ports.write(offset, value, bytes);
      if (offset == PamuRegisters.PC.offset()) {
        gate.drain();
      } else if (isBase(offset)) {
        forget(offset);
        gate.drain();
      }
    } finally {
      gate.depart(held);
    }
    return BusOutcome.OK;
  }

  private static boolean isBase(long offset) {
    return offset <= PamuRegisters.OBAL.offset()
        && (offset & 2 * Long.BYTES - 1) < PamuRegisters.PPLAH.offset();
  }

  private void forget(long offset) {
    if (!PamuRegisters.OCE.isSet(get(PamuRegisters.PC))) {
      return;
    }
    if (offset <= PamuRegisters.PPBAL.offset()) {
      primaries = primaries.emptied();
    } else if (offset <= PamuRegisters.SPBAL.offset()) {
      secondaries = secondaries.emptied();
    } else {
      mappings = mappings.emptied();
    }
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
    long control = get(PamuRegisters.PC);
    if (PamuRegisters.PGC.isSet(control)) {
      return refuse(streamId, iova, PamuRegisters.AVS1_GCV.place(1));
    }
    if (!PamuRegisters.PE.isSet(control)) {
      return iova;
    }
    long at = base(PamuRegisters.PPBAH, PamuRegisters.PPBAL) + (long) streamId * PaaceLayout.BYTES;
    if (Long.compareUnsigned(at, base(PamuRegisters.PPLAH, PamuRegisters.PPLAL)) >= 0) {
      return refuse(streamId, iova, PamuRegisters.AVS1_LAV.place(PamuRegisters.LAV_NOT_IN_TABLE));
    }
    long[] primary = entry(PamuRegisters.PPCC.isSet(control) ? primaries : null, streamId, at);
    long af = primary[PaaceLayout.AF];
    if (!PaaceLayout.V.isSet(af) || PaaceLayout.PT.isSet(af)) {
      return refuse(streamId, iova, PamuRegisters.AVS1_PDV.place(1));
    }
    long start = PaaceLayout.joined(primary[PaaceLayout.WBAH], PaaceLayout.WBAL, af);
    if (Long.compareUnsigned(iova - start, PaaceLayout.last(PaaceLayout.WSE.getInt(af))) > 0) {
      return refuse(streamId, iova, PamuRegisters.AVS1_WAV.place(1));
    }
    return PaaceLayout.MW.isSet(af)
        ? subwindow(streamId, primary, iova, iova - start, access)
        : access(streamId, primary, iova, iova - start, access);
  }

  private long subwindow(int liodn, long[] primary, long iova, long offset, int access) {
    int slot = PaaceLayout.slotBits(primary[PaaceLayout.AF], primary[PaaceLayout.IA]);
    if (slot < PaaceLayout.LEAST_BITS) {
      return refuse(liodn, iova, PamuRegisters.AVS1_WAV.place(1));
    }
    int index = (int) (offset >>> slot);
    long[] entry = primary;
    if (index > 0) {
      long number = primary[PaaceLayout.FSPI] + index - 1;
      long at = base(PamuRegisters.SPBAH, PamuRegisters.SPBAL) + number * PaaceLayout.BYTES;
      if (Long.compareUnsigned(at, base(PamuRegisters.SPLAH, PamuRegisters.SPLAL)) >= 0) {
        return refuse(liodn, iova, PamuRegisters.AVS1_WAV.place(1));
      }
      boolean kept = PamuRegisters.SPCC.isSet(get(PamuRegisters.PC));
      entry = entry(kept ? secondaries : null, number, at);
      long af = entry[PaaceLayout.AF];
      if (!PaaceLayout.S_V.isSet(af)
          || !PaaceLayout.S_PT.isSet(af)
          || PaaceLayout.LIODN.get(af) != liodn) {
        return refuse(liodn, iova, PamuRegisters.AVS1_WAV.place(1));
      }
    }
    long last = PaaceLayout.last(PaaceLayout.SWSE.getInt(entry[PaaceLayout.WIN]));
    long within = offset & (1L << slot) - 1;
    return Long.compareUnsigned(within, last) <= 0
        ? access(liodn, entry, iova, within, access)
        : refuse(liodn, iova, PamuRegisters.AVS1_WAV.place(1));
  }

  private long access(int liodn, long[] entry, long iova, long offset, int access) {
    int allowed = AP.getInt(entry[PaaceLayout.AF]);
    boolean reads = (access & READ) != 0;
    boolean writes = (access & WRITE) != 0;
    if (reads && allowed % 2 != PaaceLayout.AP_QUERY || writes && allowed < PaaceLayout.AP_UPDATE) {
      return refuse(liodn, iova, PamuRegisters.AVS1_APV.place(1));
    }
    if (reads && !OmtLayout.reads(operation(entry, OmtLayout.READ))
        || writes && !OmtLayout.writes(operation(entry, OmtLayout.WRITE))) {
      return refuse(liodn, iova, PamuRegisters.AVS1_OTV.place(1));
    }
    if (ATM.getInt(entry[PaaceLayout.IA]) == PaaceLayout.ATM_NONE) {
      return iova;
    }
    long to =
        PaaceLayout.joined(entry[PaaceLayout.TWBAH], PaaceLayout.TWBAL, entry[PaaceLayout.WIN]);
    return to + offset;
  }

  /// {@return what a device's operation becomes on the interconnect (EOE), or -1 where the entry has nothing for it}
  private int operation(long[] entry, int operation) {
    long word = entry[PaaceLayout.OP];
    int moe =
        switch (PaaceLayout.OTM.getInt(entry[PaaceLayout.IA])) {
          case PaaceLayout.OTM_NONE -> OmtLayout.moe(operation);
          case PaaceLayout.OTM_IMMEDIATE -> immediate(word, OmtLayout.ioe(operation));
          case PaaceLayout.OTM_INDEXED -> indexed(OmtLayout.OMI.get(word), operation);
          default -> 0;
        };
    return OmtLayout.V.isSet(moe) ? OmtLayout.EOE.getInt(moe) : REFUSED;
  }

  private static int immediate(long word, int ioe) {
    if (OmtLayout.IOEA.getInt(word) == ioe) {
      return OmtLayout.MOEA.getInt(word);
    }
    return OmtLayout.IOEB.getInt(word) == ioe ? OmtLayout.MOEB.getInt(word) : 0;
  }

  private int indexed(long omi, int operation) {
    long at = base(PamuRegisters.OBAH, PamuRegisters.OBAL) + omi * OmtLayout.BYTES;
    if (Long.compareUnsigned(at, base(PamuRegisters.OLAH, PamuRegisters.OLAL)) >= 0) {
      return 0;
    }
    // Before the entry is read, so that what was dropped meanwhile is not kept in the new cache.
    EntryCacheModel cache = mappings;
    boolean kept = PamuRegisters.OCE.isSet(get(PamuRegisters.PC));
    long[] entry = kept ? cache.find(omi) : null;
    if (entry == null) {
      entry = mapping(at);
      if (kept && entry != NO_MAPPING) {
        cache.keep(omi, entry);
      }
    }
    long bytes = entry[operation / Long.BYTES];
    return (int) (bytes >>> operation % Long.BYTES * Byte.SIZE) & 0xff;
  }

  private long[] mapping(long at) {
    long[] out = new long[OmtLayout.BYTES / Long.BYTES];
    try {
      for (int i = 0; i < out.length; i++) {
        out[i] = memory.read64(at + (long) i * Long.BYTES);
      }
      return out;
    } catch (BusErrorException e) {
      failed(at);
      return NO_MAPPING;
    }
  }

  /// {@return an entry's words, which are big-endian in memory; where there is no memory, words of zeros}
  ///
  /// @param cache as it was before the entry is read; null where PC allows none
  private long[] entry(@Nullable EntryCacheModel cache, long number, long at) {
    long[] kept = cache == null ? null : cache.find(number);
    if (kept != null) {
      return kept;
    }
    long[] out = new long[PaaceLayout.WORDS];
    try {
      for (int i = 0; i < out.length; i++) {
        out[i] = PaaceLayout.swapped(memory.read32(at + (long) i * Integer.BYTES));
      }
    } catch (BusErrorException e) {
      failed(at);
      return NOTHING;
    }
    if (cache != null && PaaceLayout.V.isSet(out[PaaceLayout.AF])) {
      cache.keep(number, out);
    }
    return out;
  }

  private void failed(long entry) {
    if (errors.record(0, entry)) {
      raise(PamuRegisters.POE_STATUS.mask());
    }
  }

  private long refuse(int liodn, long iova, long what) {
    if (violations.record(PamuRegisters.AVS1_LIODN.place(liodn) | what, iova)) {
      raise(PamuRegisters.AV_STATUS.mask());
    }
    return FAULT;
  }

  private void raise(long status) {
    values.getAndAccumulate(index(PamuRegisters.PICS), status, (have, more) -> have | more);
  }

  private long base(Register high, Register low) {
    return PaaceLayout.joined(get(high), PamuRegisters.WORD, get(low));
  }

  private long get(Register r) {
    return values.get(index(r));
  }

  private void set(Register r, long value) {
    values.set(index(r), value);
  }

  private static int index(Register r) {
    return (int) (r.offset() / Integer.BYTES);
  }
}
