package dev.doorbell.hw.pamu;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Reads a PAMU's entries and tells what becomes of a write. Not thread-safe; one walk at a time.
///
/// What a unit keeps of entries cannot be seen: an entry that changed in memory and was not dropped is told as it is in memory.
///
/// **Source**: Linux 6.12 `drivers/iommu/fsl_pamu.h`; sub-windows as Linux 5.10 `fsl_pamu.c` writes them; Freescale's libos, `include/libos/pamu.h` (PGC and PE).
public final class PamuWalker {
  private static final String CANNOT_SEE = "cannot see";

  private final String id;
  private final Map<String, Long> registers;
  private final MemoryView memory;
  private final Basis basis;
  private final List<Hop> hops = new ArrayList<>();

  /// @param registers of one unit by name, such as `PPBAL`; missing ones cannot be seen
  public PamuWalker(String id, Map<String, Long> registers, MemoryView memory, Basis basis) {
    this.id = id;
    this.registers = Map.copyOf(registers);
    this.memory = memory;
    this.basis = basis;
  }

  /// An entry as far as it can be seen.
  private record Entry(long at, long[] words) {
    long word(int index) {
      return words[index];
    }
  }

  /// {@return the way of a write}
  public PamuWalk walk(int liodn, Iova iova) {
    hops.clear();
    String in = "LIODN 0x%x, IOVA %s".formatted(liodn, iova);
    Long control = registers.get("PC");
    if (control == null) {
      return unseen(in, "PC was not recorded", rule("PC"));
    }
    if (PamuRegisters.PGC.isSet(control)) {
      return stop(in, "refused", "PC.PGC is 1: the PAMU's gate is closed", rule("PC"));
    }
    if (!PamuRegisters.PE.isSet(control)) {
      Pa same = new Pa(iova.value());
      hop("PC", in, same.toString(), "PC.PE is 0: the PAMU is off and lets all pass", rule("PC"));
      return new PamuWalk(hops, Optional.of(same), Optional.empty());
    }
    OptionalLong base = joined("PPBAH", "PPBAL");
    OptionalLong limit = joined("PPLAH", "PPLAL");
    if (base.isEmpty() || limit.isEmpty()) {
      return unseen(in, "PPBA and PPLA were not recorded", rule("PPBAL"));
    }
    long at = base.getAsLong() + (long) liodn * PaaceLayout.BYTES;
    if (Long.compareUnsigned(at, limit.getAsLong()) >= 0) {
      return stop(in, "refused", "the LIODN is beyond the PPAACT's end", rule("PPLAL"));
    }
    Entry primary = entry(at);
    if (primary == null) {
      return unseen(in, "the PPAACE at 0x%x was not recorded".formatted(at), memory.source(at));
    }
    long af = primary.word(PaaceLayout.AF);
    if (!PaaceLayout.V.isSet(af) || PaaceLayout.PT.isSet(af)) {
      return stop(
          in,
          "refused",
          "no valid PPAACE: " + told(PaaceLayout.PRIMARY_LAYOUT, af),
          memory.source(at));
    }
    long start = PaaceLayout.joined(primary.word(PaaceLayout.WBAH), PaaceLayout.WBAL, af);
    int sized = PaaceLayout.WSE.getInt(af);
    String size = PaaceLayout.size(sized);
    long offset = iova.value() - start;
    if (Long.compareUnsigned(offset, PaaceLayout.last(sized)) > 0) {
      return stop(
          in,
          "refused",
          "outside the window of %s bytes at 0x%x".formatted(size, start),
          memory.source(at));
    }
    hop(
        "PPAACE",
        in,
        "offset 0x%x of a window of %s bytes".formatted(offset, size),
        told(PaaceLayout.PRIMARY_LAYOUT, af),
        memory.source(at));
    return PaaceLayout.MW.isSet(af)
        ? subwindow(liodn, primary, iova.value(), offset)
        : out(primary, iova.value(), offset);
  }

  private PamuWalk subwindow(int liodn, Entry primary, long iova, long offset) {
    long ia = primary.word(PaaceLayout.IA);
    int count = PaaceLayout.count(PaaceLayout.WCE.getInt(ia));
    int slot = PaaceLayout.slotBits(primary.word(PaaceLayout.AF), ia);
    if (slot < PaaceLayout.LEAST_BITS) {
      return stop(
          "sub-windows",
          "refused",
          "the window cannot be cut into %d pages".formatted(count),
          memory.source(primary.at()));
    }
    int index = (int) (offset >>> slot);
    String in = "sub-window %d of %d".formatted(index, count);
    Entry e = primary;
    if (index > 0) {
      OptionalLong base = joined("SPBAH", "SPBAL");
      if (base.isEmpty()) {
        return unseen(in, "SPBA was not recorded", rule("SPBAL"));
      }
      long at = base.getAsLong() + (primary.word(PaaceLayout.FSPI) + index - 1) * PaaceLayout.BYTES;
      Entry secondary = entry(at);
      if (secondary == null) {
        return unseen(in, "the SPAACE at 0x%x was not recorded".formatted(at), memory.source(at));
      }
      long af = secondary.word(PaaceLayout.AF);
      if (!PaaceLayout.S_V.isSet(af)
          || !PaaceLayout.S_PT.isSet(af)
          || PaaceLayout.LIODN.get(af) != liodn) {
        return stop(
            in,
            "refused",
            "no valid SPAACE of this LIODN: " + told(PaaceLayout.SECONDARY_LAYOUT, af),
            memory.source(at));
      }
      e = secondary;
    }
    long within = offset & (1L << slot) - 1;
    int mapped = PaaceLayout.SWSE.getInt(e.word(PaaceLayout.WIN));
    if (Long.compareUnsigned(within, PaaceLayout.last(mapped)) > 0) {
      return stop(
          in,
          "refused",
          "offset 0x%x, and %s bytes are mapped".formatted(within, PaaceLayout.size(mapped)),
          memory.source(e.at()));
    }
    return out(e, iova, within);
  }

  private PamuWalk out(Entry e, long iova, long within) {
    long af = e.word(PaaceLayout.AF);
    String in = "write at offset 0x%x".formatted(within);
    if (PaaceLayout.AP.getInt(af) < PaaceLayout.AP_UPDATE) {
      return stop(in, "refused", "AP allows no writes", memory.source(e.at()));
    }
    Optional<PamuWalk> ended = operation(e);
    if (ended.isPresent()) {
      return ended.get();
    }
    boolean none = PaaceLayout.ATM.getInt(e.word(PaaceLayout.IA)) == PaaceLayout.ATM_NONE;
    long to =
        none
            ? iova
            : PaaceLayout.joined(
                    e.word(PaaceLayout.TWBAH), PaaceLayout.TWBAL, e.word(PaaceLayout.WIN))
                + within;
    hop(
        PaaceLayout.PT.isSet(af) ? "SPAACE" : "PPAACE window",
        in,
        new Pa(to).toString(),
        told(PaaceLayout.IA_LAYOUT, e.word(PaaceLayout.IA))
            + " "
            + told(PaaceLayout.WIN_LAYOUT, e.word(PaaceLayout.WIN)),
        memory.source(e.at()));
    return new PamuWalk(hops, Optional.of(new Pa(to)), Optional.empty());
  }

  /// Follows what a write becomes on the interconnect.
  ///
  /// {@return where the walk ends, if it does}
  private Optional<PamuWalk> operation(Entry e) {
    long word = e.word(PaaceLayout.OP);
    return switch (PaaceLayout.OTM.getInt(e.word(PaaceLayout.IA))) {
      case PaaceLayout.OTM_NONE -> Optional.empty();
      case PaaceLayout.OTM_IMMEDIATE -> immediate(e, word);
      case PaaceLayout.OTM_INDEXED -> indexed(word);
      default ->
          Optional.of(
              stop("operation WRITE", "refused", "OTM 3 is reserved", memory.source(e.at())));
    };
  }

  private Optional<PamuWalk> immediate(Entry e, long word) {
    String why = told(OmtLayout.OP_LAYOUT, word);
    int write = OmtLayout.ioe(OmtLayout.WRITE);
    if (OmtLayout.IOEA.getInt(word) == write) {
      return mapped(OmtLayout.MOEA.get(word), why, memory.source(e.at()));
    }
    return OmtLayout.IOEB.getInt(word) == write
        ? mapped(OmtLayout.MOEB.get(word), why, memory.source(e.at()))
        : Optional.of(
            stop(
                "operation WRITE",
                "refused",
                "neither pair of the PAACE names it: " + why,
                memory.source(e.at())));
  }

  private Optional<PamuWalk> indexed(long word) {
    String in = "operation WRITE";
    long omi = OmtLayout.OMI.get(word);
    OptionalLong base = joined("OBAH", "OBAL");
    OptionalLong limit = joined("OLAH", "OLAL");
    if (base.isEmpty() || limit.isEmpty()) {
      return Optional.of(unseen(in, "OBA and OLA were not recorded", rule("OBAL")));
    }
    long at = base.getAsLong() + omi * OmtLayout.BYTES;
    if (Long.compareUnsigned(at, limit.getAsLong()) >= 0) {
      return Optional.of(
          stop(in, "refused", "OMI 0x%x is beyond the OMT's end".formatted(omi), rule("OLAL")));
    }
    OptionalLong moe = memory.read8(at + OmtLayout.WRITE);
    if (moe.isEmpty()) {
      return Optional.of(
          unseen(in, "the OME at 0x%x was not recorded".formatted(at), memory.source(at)));
    }
    return mapped(
        moe.getAsLong(),
        "OMI=0x%x, %s".formatted(omi, told(OmtLayout.MOE_LAYOUT, moe.getAsLong())),
        memory.source(at));
  }

  private Optional<PamuWalk> mapped(long moe, String why, Source source) {
    String in = "operation WRITE";
    if (!OmtLayout.V.isSet(moe)) {
      return Optional.of(stop(in, "refused", "it is mapped to nothing: " + why, source));
    }
    String becomes = told(OmtLayout.MOE_LAYOUT, moe);
    if (!OmtLayout.writes(OmtLayout.EOE.getInt(moe))) {
      return Optional.of(stop(in, "refused", "it would become no write: " + why, source));
    }
    hop("operation mapping", in, becomes, why, source);
    return Optional.empty();
  }

  private @Nullable Entry entry(long at) {
    long[] words = new long[PaaceLayout.WORDS];
    for (int i = 0; i < words.length; i++) {
      OptionalLong raw = memory.read32(at + (long) i * Integer.BYTES);
      if (raw.isEmpty()) {
        return null;
      }
      words[i] = PaaceLayout.swapped(raw.getAsLong());
    }
    return new Entry(at, words);
  }

  private OptionalLong joined(String high, String low) {
    Long h = registers.get(high);
    Long l = registers.get(low);
    return h == null || l == null
        ? OptionalLong.empty()
        : OptionalLong.of(PaaceLayout.joined(h, PamuRegisters.WORD, l));
  }

  private Source rule(String register) {
    return Source.rule("%s of %s".formatted(register, id));
  }

  private static String told(Layout layout, long word) {
    return layout.decode(word).stream()
        .map(Object::toString)
        .reduce((a, b) -> a + " " + b)
        .orElse("");
  }

  private void hop(String what, String in, String out, String why, Source source) {
    hops.add(new Hop(id + " " + what, in, out, why, source, basis));
  }

  private PamuWalk stop(String in, String out, String why, Source source) {
    hop("PAACE", in, out, why, source);
    return new PamuWalk(hops, Optional.empty(), Optional.of(why));
  }

  private PamuWalk unseen(String in, String why, Source source) {
    return stop(in, CANNOT_SEE, CANNOT_SEE + ": " + why, source);
  }
}
