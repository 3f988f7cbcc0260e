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
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;

/// A PAMU of one unit, which reads its entries from memory at every access. A write of PC waits for the accesses that are in flight.
///
/// The first violation is kept in AVS1, AVAH and AVAL until AVS1 is cleared; later ones are refused and not recorded.
public final class PamuModel implements MmioDevice, Translator {
  private static final int MOST_SUBWINDOWS = 256;

  private final PhysicalMemory memory;
  private final AccessGate gate = new AccessGate();
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private final AtomicLongArray values = new AtomicLongArray((int) (PamuRegisters.BYTES / 4));
  private final AtomicReference<Violation> violation = new AtomicReference<>(new Violation(0, 0));

  /// What AVS1, AVAH and AVAL tell, which is one thing: who sees the status sees its address.
  private record Violation(long status, long address) {}

  /// @param mostLiodn highest LIODN, below 65536
  public PamuModel(PhysicalMemory memory, int mostLiodn) {
    this.memory = memory;
    for (Register r : MAP.registers()) {
      int at = (int) (r.offset() / Integer.BYTES);
      values.set(at, r.reset());
      ports.on(r, _ -> values.get(at), (_, v) -> values.set(at, r.legalize(values.get(at), v)));
    }
    set(PamuRegisters.PC2, PamuRegisters.MLIODN.place(mostLiodn));
    set(PamuRegisters.PC3, PamuRegisters.MWCE.place(PaaceLayout.countCode(MOST_SUBWINDOWS)));
    ports.on(PamuRegisters.AVS1, _ -> violation().status(), (_, _) -> clear());
    ports.on(PamuRegisters.AVAH, _ -> PaaceLayout.high(violation().address()));
    ports.on(PamuRegisters.AVAL, _ -> Integer.toUnsignedLong((int) violation().address()));
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
      }
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
    if (!PamuRegisters.PE.isSet(get(PamuRegisters.PC))) {
      return refuse(streamId, iova, PamuRegisters.AVS1_GCV.place(1));
    }
    long at = base(PamuRegisters.PPBAH, PamuRegisters.PPBAL) + (long) streamId * PaaceLayout.BYTES;
    if (Long.compareUnsigned(at, base(PamuRegisters.PPLAH, PamuRegisters.PPLAL)) >= 0) {
      return refuse(streamId, iova, PamuRegisters.AVS1_LAV.place(PamuRegisters.LAV_NOT_IN_TABLE));
    }
    long af = word(at, PaaceLayout.AF);
    if (!PaaceLayout.V.isSet(af) || PaaceLayout.PT.isSet(af)) {
      return refuse(streamId, iova, PamuRegisters.AVS1_PDV.place(1));
    }
    long start = PaaceLayout.joined(word(at, PaaceLayout.WBAH), PaaceLayout.WBAL, af);
    if (Long.compareUnsigned(iova - start, PaaceLayout.last(PaaceLayout.WSE.getInt(af))) > 0) {
      return refuse(streamId, iova, PamuRegisters.AVS1_WAV.place(1));
    }
    return PaaceLayout.MW.isSet(af)
        ? subwindow(streamId, at, iova, access)
        : access(streamId, at, iova, iova - start, access);
  }

  private long subwindow(int liodn, long primary, long iova, int access) {
    long start =
        PaaceLayout.joined(
            word(primary, PaaceLayout.WBAH), PaaceLayout.WBAL, word(primary, PaaceLayout.AF));
    int slot = PaaceLayout.slotBits(word(primary, PaaceLayout.AF), word(primary, PaaceLayout.IA));
    if (slot < PaaceLayout.LEAST_BITS) {
      return refuse(liodn, iova, PamuRegisters.AVS1_WAV.place(1));
    }
    int index = (int) (iova - start >>> slot);
    long at = primary;
    if (index > 0) {
      long first = word(primary, PaaceLayout.FSPI);
      at = base(PamuRegisters.SPBAH, PamuRegisters.SPBAL) + (first + index - 1) * PaaceLayout.BYTES;
      if (Long.compareUnsigned(at, base(PamuRegisters.SPLAH, PamuRegisters.SPLAL)) >= 0) {
        return refuse(liodn, iova, PamuRegisters.AVS1_WAV.place(1));
      }
      long af = word(at, PaaceLayout.AF);
      if (!PaaceLayout.S_V.isSet(af)
          || !PaaceLayout.S_PT.isSet(af)
          || PaaceLayout.LIODN.get(af) != liodn) {
        return refuse(liodn, iova, PamuRegisters.AVS1_WAV.place(1));
      }
    }
    long last = PaaceLayout.last(PaaceLayout.SWSE.getInt(word(at, PaaceLayout.WIN)));
    long offset = iova - start & (1L << slot) - 1;
    return Long.compareUnsigned(offset, last) <= 0
        ? access(liodn, at, iova, offset, access)
        : refuse(liodn, iova, PamuRegisters.AVS1_WAV.place(1));
  }

  private long access(int liodn, long at, long iova, long offset, int access) {
    int allowed = AP.getInt(word(at, PaaceLayout.AF));
    boolean reads = (access & READ) != 0 && allowed % 2 != PaaceLayout.AP_QUERY;
    boolean writes = (access & WRITE) != 0 && allowed < PaaceLayout.AP_UPDATE;
    if (reads || writes) {
      return refuse(liodn, iova, PamuRegisters.AVS1_APV.place(1));
    }
    if (ATM.getInt(word(at, PaaceLayout.IA)) == PaaceLayout.ATM_NONE) {
      return iova;
    }
    long to =
        PaaceLayout.joined(
            word(at, PaaceLayout.TWBAH), PaaceLayout.TWBAL, word(at, PaaceLayout.WIN));
    return to + offset;
  }

  private Violation violation() {
    return Objects.requireNonNull(violation.get());
  }

  private void clear() {
    violation.updateAndGet(v -> new Violation(0, v.address()));
  }

  private long refuse(int liodn, long iova, long what) {
    long status = PamuRegisters.AVS1_LIODN.place(liodn) | what | PamuRegisters.AVS1_AV.place(1);
    Violation before = violation();
    if (before.status() == 0 && violation.compareAndSet(before, new Violation(status, iova))) {
      set(PamuRegisters.PICS, PamuRegisters.AV_STATUS.with(get(PamuRegisters.PICS), 1));
    }
    return FAULT;
  }

  /// Entries are big-endian. Where there is no memory nothing is valid.
  private long word(long entry, int index) {
    try {
      return PaaceLayout.swapped(memory.read32(entry + (long) index * Integer.BYTES));
    } catch (BusErrorException e) {
      return 0;
    }
  }

  private long base(Register high, Register low) {
    return PaaceLayout.joined(get(high), PamuRegisters.WORD, get(low));
  }

  private long get(Register r) {
    return values.get((int) (r.offset() / Integer.BYTES));
  }

  private void set(Register r, long value) {
    values.set((int) (r.offset() / Integer.BYTES), value);
  }
}
