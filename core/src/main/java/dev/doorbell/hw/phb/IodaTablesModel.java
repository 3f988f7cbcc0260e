package dev.doorbell.hw.phb;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.EsbRegisters;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/// The tables in a bridge itself, as PHB_IODA_ADDR and PHB_IODA_DATA0 reach them, and the state of PEs that they and memory hold. Tables that are not
/// here read as zero and ignore writes. Safe for use from many threads.
final class IodaTablesModel {
  private final PhysicalMemory memory;
  private final EsbModel esb;
  private final AtomicLongArray tvt;
  private final AtomicLongArray mist;
  private final AtomicLongArray pesta;
  private final AtomicLongArray pestb;
  private final AtomicLong select = new AtomicLong();

  IodaTablesModel(PhysicalMemory memory, EsbModel esb, int pes, int interrupts) {
    this.memory = memory;
    this.esb = esb;
    tvt = new AtomicLongArray(pes * TveLayout.PER_PE);
    mist = new AtomicLongArray(interrupts / MistLayout.PER_WORD);
    pesta = new AtomicLongArray(pes);
    pestb = new AtomicLongArray(pes);
  }

  int pes() {
    return pesta.length();
  }

  long select() {
    return select.get();
  }

  void select(long value) {
    select.set(value);
  }

  long read() {
    long at = select.get();
    int index = Phb4Registers.IODA_TADR.getInt(at);
    AtomicLongArray table = table(at);
    long value = 0;
    if (Phb4Registers.IODA_TSEL.get(at) == Phb4Registers.PEEV) {
      value = errors(index);
    } else if (table != null && index < table.length()) {
      value = table.get(index);
    }
    advance(at);
    return value;
  }

  void write(long value) {
    long at = select.get();
    int index = Phb4Registers.IODA_TADR.getInt(at);
    AtomicLongArray table = table(at);
    if (table != null && index < table.length()) {
      if (table == mist) {
        own(index, value, Phb4Registers.IODA_MIST_PWV.getInt(at));
      } else {
        table.set(index, value);
      }
    }
    advance(at);
  }

  private void advance(long at) {
    if (Phb4Registers.IODA_AUTOINC.isSet(at)) {
      long next = Phb4Registers.IODA_TADR.get(at) + 1 & Phb4Registers.IODA_TADR.max();
      select.set(Phb4Registers.IODA_TADR.with(at, next));
    }
  }

  private @Nullable AtomicLongArray table(long at) {
    return switch (Phb4Registers.IODA_TSEL.getInt(at)) {
      case Phb4Registers.MIST -> mist;
      case Phb4Registers.TVT -> tvt;
      case Phb4Registers.PESTA -> pesta;
      case Phb4Registers.PESTB -> pestb;
      default -> null;
    };
  }

  /// Each of a word's four parts is written when it is selected, all of them when none is.
  private void own(int word, long value, int parts) {
    for (int i = 0; i < MistLayout.PER_WORD; i++) {
      int number = word * MistLayout.PER_WORD + i;
      if (parts == 0 || (parts & MistLayout.part(number)) != 0) {
        long mask = MistLayout.mask(number);
        mist.set(word, mist.get(word) & ~mask | value & mask);
        long p = MistLayout.pending(number).get(value);
        esb.set(number, (int) (p * EsbRegisters.PENDING + MistLayout.queued(number).get(value)));
      }
    }
  }

  /// {@return the PE that owns an interrupt}
  int owner(int number) {
    return MistLayout.owner(number).getInt(mist.get(number / MistLayout.PER_WORD));
  }

  long tve(int index) {
    return tvt.get(index);
  }

  boolean isStopped(int pe) {
    return PestLayout.DMA_STOPPED.isSet(pestb.get(pe));
  }

  private long errors(int word) {
    long out = 0;
    for (int i = 0; i < PeVectorLayout.PER_WORD; i++) {
      int pe = word * PeVectorLayout.PER_WORD + i;
      if (pe < pes() && (pesta.get(pe) != 0 || pestb.get(pe) != 0)) {
        out |= PeVectorLayout.bit(i);
      }
    }
    return out;
  }

  boolean anyError() {
    for (int word = 0; word * PeVectorLayout.PER_WORD < pes(); word++) {
      if (errors(word) != 0) {
        return true;
      }
    }
    return false;
  }

  /// Stops a PE, and those that its row of PELT-V names. The first cause is kept, in memory: the bridge itself has no more than the bits that stop.
  ///
  /// @param pest where states of PEs are in memory; 0 for nowhere
  /// @param peltv where the rows are; 0 for nowhere
  void stop(int pe, long a, long b, long pest, long peltv) {
    if (!pestb.compareAndSet(pe, 0, PestLayout.DMA_STOPPED.mask())) {
      return;
    }
    pesta.set(pe, PestLayout.MMIO_FROZEN.mask());
    try {
      if (pest != 0) {
        memory.write64(pest + (long) pe * PestLayout.BYTES, PestLayout.swapped(a));
        memory.write64(pest + (long) pe * PestLayout.BYTES + Long.BYTES, PestLayout.swapped(b));
      }
      if (peltv != 0) {
        stopRow(peltv + (long) pe * (pes() / Byte.SIZE));
      }
    } catch (BusErrorException nowhere) {
      // The PE itself is stopped, which is what keeps others safe.
      return;
    }
  }

  private void stopRow(long row) {
    for (int word = 0; word * PeVectorLayout.PER_WORD < pes(); word++) {
      long set = PeVectorLayout.swapped(memory.read64(row + (long) word * Long.BYTES));
      while (set != 0) {
        int i = Long.numberOfLeadingZeros(set);
        set &= ~PeVectorLayout.bit(i);
        int pe = word * PeVectorLayout.PER_WORD + i;
        pesta.compareAndSet(pe, 0, PestLayout.MMIO_FROZEN.mask());
        pestb.compareAndSet(pe, 0, PestLayout.DMA_STOPPED.mask());
      }
    }
  }

  void reset() {
    for (AtomicLongArray table : List.of(tvt, mist, pesta, pestb)) {
      for (int i = 0; i < table.length(); i++) {
        table.set(i, 0);
      }
    }
    select.set(0);
  }
}
