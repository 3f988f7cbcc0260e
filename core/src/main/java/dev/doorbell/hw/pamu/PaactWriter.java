package dev.doorbell.hw.pamu;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.WindowLayout;
import dev.doorbell.iommu.WindowLayout.Piece;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The tables of a PAMU in memory: the PPAACT, with an entry for each LIODN, and the SPAACT, of which sub-windows take runs. Callers synchronise.
///
/// An entry becomes valid by its last write and invalid by its first.
final class PaactWriter {
  private static final long ALIGNMENT = 0x1000;

  /// Secondary entries: as many as Linux has.
  private static final int SECONDARIES = 0x800;

  private final PhysicalMemory memory;
  private final int liodns;
  private final Pa primary;
  private final Pa secondary;
  private final BitSet taken = new BitSet();
  private final Map<Integer, Run> runs = new HashMap<>();
  private final Map<Integer, OperationMapping> operations = new HashMap<>();

  /// Secondary entries of one LIODN.
  private record Run(int first, int count) {}

  /// @throws OutOfFramesException when there is no memory; nothing is kept then
  PaactWriter(PhysicalMemory memory, Frames frames, int liodns) {
    this.memory = memory;
    this.liodns = liodns;
    long bytes = primaryBytes();
    primary = frames.allocate(bytes, ALIGNMENT);
    try {
      secondary = frames.allocate(secondaryBytes(), ALIGNMENT);
    } catch (OutOfFramesException e) {
      frames.free(primary, bytes);
      throw e;
    }
  }

  long primary() {
    return primary.value();
  }

  /// {@return bytes of the PPAACT, whole pages}
  long primaryBytes() {
    return ((long) liodns * PaaceLayout.BYTES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  long secondary() {
    return secondary.value();
  }

  long secondaryBytes() {
    return (long) SECONDARIES * PaaceLayout.BYTES;
  }

  void free(Frames frames) {
    frames.free(primary, primaryBytes());
    frames.free(secondary, secondaryBytes());
  }

  /// {@return secondary entries for so many sub-windows; empty when there are none}
  private Optional<Run> take(int count) {
    int need = count - 1;
    for (int at = 0; at + need <= SECONDARIES; ) {
      int used = taken.nextSetBit(at);
      if (used < 0 || used >= at + need) {
        taken.set(at, at + need);
        return Optional.of(new Run(at, need));
      }
      at = used + 1;
    }
    return Optional.empty();
  }

  /// Makes a LIODN invalid and gives its sub-windows back, after the hardware has dropped what it knew.
  ///
  /// @param settled waits until it has
  void clear(int liodn, Runnable settled) {
    write(primary(liodn), PaaceLayout.AF, 0);
    memory.publish();
    settled.run();
    Run run = runs.remove(liodn);
    if (run != null) {
      for (int i = 0; i < run.count(); i++) {
        write(secondary(run.first() + i), PaaceLayout.AF, 0);
      }
      taken.clear(run.first(), run.first() + run.count());
    }
  }

  /// What a LIODN's operations become in entries that are written from now on.
  void operations(int liodn, OperationMapping mapping) {
    operations.put(liodn, mapping);
  }

  /// Lets a LIODN's accesses pass untranslated.
  void bypass(int liodn, long bytes) {
    long at = primary(liodn);
    attributes(at, liodn, PaaceLayout.ATM.place(PaaceLayout.ATM_NONE));
    memory.publish();
    write(at, PaaceLayout.AF, valid(bytes, false, PaaceLayout.AP.max()));
    memory.publish();
  }

  /// Writes a LIODN's windows; it must be invalid.
  ///
  /// {@return whether there were enough secondary entries; when not, nothing is written}
  boolean fill(int liodn, WindowLayout layout) {
    Optional<Run> run = layout.count() > 1 ? take(layout.count()) : Optional.of(new Run(0, 0));
    if (run.isEmpty()) {
      return false;
    }
    if (layout.count() > 1) {
      runs.put(liodn, run.get());
    }
    long at = primary(liodn);
    write(at, PaaceLayout.WBAH, 0);
    write(at, PaaceLayout.FSPI, PaaceLayout.INDEX.place(run.get().first()));
    long access = 0;
    window(at, liodn, layout.count(), Optional.empty());
    for (Piece p : layout.pieces()) {
      if (p.slot() == 0) {
        window(at, liodn, layout.count(), Optional.of(p));
        access = access(p.protection());
      } else {
        secondary(liodn, run.get().first() + p.slot() - 1, p);
      }
    }
    memory.publish();
    write(at, PaaceLayout.AF, valid(layout.bytes(), layout.count() > 1, access));
    memory.publish();
    return true;
  }

  private long valid(long bytes, boolean many, long access) {
    return PaaceLayout.WSE.place(PaaceLayout.sizeCode(bytes))
        | PaaceLayout.MW.place(many ? 1 : 0)
        | PaaceLayout.AP.place(access)
        | PaaceLayout.V.place(1);
  }

  private void secondary(int liodn, int index, Piece p) {
    long at = secondary(index);
    window(at, liodn, 1, Optional.of(p));
    memory.publish();
    write(
        at,
        PaaceLayout.AF,
        PaaceLayout.LIODN.place(liodn)
            | PaaceLayout.S_AP.place(access(p.protection()))
            | PaaceLayout.S_PT.place(1)
            | PaaceLayout.S_V.place(1));
  }

  /// Coherent, as the tables of the CPUs are.
  private void attributes(long at, int liodn, long implementation) {
    OperationMapping mapping = operations.getOrDefault(liodn, OperationMapping.NONE);
    write(at, PaaceLayout.DA, PaaceLayout.CR.place(1));
    write(
        at,
        PaaceLayout.IA,
        implementation
            | PaaceLayout.OTM.place(mapping.mode())
            | PaaceLayout.CID.place(mapping.cid()));
    write(at, PaaceLayout.OP, mapping.word());
  }

  private void window(long at, int liodn, int count, Optional<Piece> piece) {
    long counted = count > 1 ? PaaceLayout.WCE.place(PaaceLayout.countCode(count)) : 0;
    attributes(at, liodn, PaaceLayout.ATM.place(PaaceLayout.ATM_WINDOW) | counted);
    long pa = piece.map(p -> p.pa().value()).orElse(0L);
    long bytes = piece.map(Piece::bytes).orElse(WindowLayout.LEAST);
    write(at, PaaceLayout.TWBAH, PaaceLayout.high(pa));
    write(
        at,
        PaaceLayout.WIN,
        PaaceLayout.low(PaaceLayout.TWBAL, pa)
            | PaaceLayout.SWSE.place(PaaceLayout.sizeCode(bytes)));
  }

  private static long access(Protection p) {
    return (p.read() ? PaaceLayout.AP_QUERY : 0L) + (p.write() ? PaaceLayout.AP_UPDATE : 0L);
  }

  private long primary(int liodn) {
    return primary.value() + (long) liodn * PaaceLayout.BYTES;
  }

  private long secondary(int index) {
    return secondary.value() + (long) index * PaaceLayout.BYTES;
  }

  private void write(long entry, int word, long value) {
    memory.write32(entry + (long) word * Integer.BYTES, (int) PaaceLayout.swapped(value));
  }
}
