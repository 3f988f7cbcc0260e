package dev.doorbell.hw.phb;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.TableTrail;
import dev.doorbell.irq.EsbRegisters;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// Explains a bridge's tables as they stand: the PE of a requester id, its window and TCEs, and who owns an interrupt. Reads only. Immutable.
///
/// **Source**: skiboot 7.1 `include/phb4-regs.h`, `hw/phb4.c`; Linux 6.12 `arch/powerpc/platforms/powernv/pci-ioda-tce.c`.
public final class PhbWalker {
  private final String id;
  private final Map<String, Long> registers;
  private final MemoryView memory;

  /// @param registers of the bridge by name without prefix (`RTT_BAR`), and entries of its own tables (`TVT2`, `MIST0`, `PESTB1`, `PQ0`)
  public PhbWalker(String id, Map<String, Long> registers, MemoryView memory) {
    this.id = id;
    this.registers = Map.copyOf(registers);
    this.memory = memory;
  }

  /// {@return the way of a message of an interrupt}
  ///
  /// @param number as address and datum name it
  public PhbWalk message(int rid, int number) {
    TableTrail trail = new TableTrail(id, memory);
    OptionalInt pe = pe(trail, rid);
    if (pe.isEmpty()) {
      return ended(trail);
    }
    String in = "PE 0x%x, MSI number %d".formatted(pe.getAsInt(), number);
    if (isPhb3()) {
      return entry(trail, pe.getAsInt(), number);
    }
    Long word = registers.get("MIST" + number / MistLayout.PER_WORD);
    if (word == null) {
      trail.stopRegister("MIST", in, "no owner of the interrupt was recorded");
      return ended(trail);
    }
    int owner = MistLayout.owner(number).getInt(word);
    if (owner != pe.getAsInt()) {
      trail.stopRegister(
          "MIST",
          in,
          "the interrupt is PE 0x%x's: the message stops PE 0x%x".formatted(owner, pe.getAsInt()));
      return ended(trail);
    }
    trail.register("MIST", in, in, "the PE owns the interrupt");
    Long pq = registers.get("PQ" + number);
    if (pq != null) {
      if (pq == EsbRegisters.OFF) {
        trail.stopRegister("ESB page " + number, in, "the interrupt is off (PQ 01)");
        return ended(trail);
      }
      trail.register(
          "ESB page " + number,
          in,
          pq == EsbRegisters.RESET ? "an event is sent" : "the next event is queued",
          TableTrail.print(EsbRegisters.LAYOUT, pq).isEmpty()
              ? "PQ 00"
              : TableTrail.print(EsbRegisters.LAYOUT, pq));
    }
    return new PhbWalk(
        trail.hops(),
        Optional.empty(),
        OptionalInt.of(number),
        OptionalInt.empty(),
        Optional.empty());
  }

  private boolean isPhb3() {
    return registers.containsKey("IVT_BAR");
  }

  /// {@return the way of a message whose interrupt is an entry in memory}
  private PhbWalk entry(TableTrail trail, int pe, int number) {
    String in = "PE 0x%x, MSI number %d".formatted(pe, number);
    long bar = registers.getOrDefault("IVT_BAR", 0L);
    if (!Phb3Registers.IVT_ENABLE.isSet(bar) || number >= Phb3Registers.IVT_LENGTH.get(bar)) {
      trail.stopRegister("PHB_IVT_BAR", in, "no IVT is there, or it is too short");
      return ended(trail);
    }
    int bytes = IveLayout.bytes(registers.getOrDefault("CONTROL", 0L));
    long at = Phb3Registers.IVT_BASE.get(bar) + (long) number * bytes;
    OptionalLong word = trail.read(at, "IVE");
    if (word.isEmpty()) {
      return ended(trail);
    }
    long ive = IveLayout.swapped(word.getAsLong());
    int owner = IveLayout.PE.getInt(ive);
    if (owner != pe) {
      trail.stopAt(
          "IVE",
          in,
          "the interrupt is PE 0x%x's: the message stops PE 0x%x".formatted(owner, pe),
          at);
      return ended(trail);
    }
    if (IveLayout.PRIORITY.get(ive) == IveLayout.MASKED) {
      trail.stopAt("IVE", in, "priority 0xff: the message is kept (Q) and not sent", at);
      return ended(trail);
    }
    int server = IveLayout.server(ive);
    trail.entry(
        "IVE", in, "server 0x%x".formatted(server), TableTrail.print(IveLayout.LAYOUT, ive), at);
    return new PhbWalk(
        trail.hops(),
        Optional.empty(),
        OptionalInt.of(number),
        OptionalInt.of(server),
        Optional.empty());
  }

  private static PhbWalk out(TableTrail trail, Pa pa) {
    return new PhbWalk(
        trail.hops(), Optional.of(pa), OptionalInt.empty(), OptionalInt.empty(), Optional.empty());
  }

  /// {@return the way of an access to memory}
  public PhbWalk dma(int rid, long iova, boolean write) {
    TableTrail trail = new TableTrail(id, memory);
    OptionalInt pe = pe(trail, rid);
    if (pe.isEmpty()) {
      return ended(trail);
    }
    int window = TveLayout.index(pe.getAsInt(), iova);
    String in = "PE 0x%x, IOVA 0x%x".formatted(pe.getAsInt(), iova);
    Long tve = registers.get("TVT" + window);
    if (tve == null || TveLayout.KIND.get(iova) != 0) {
      trail.stopRegister(
          "TVT",
          in,
          tve == null ? "TVE %d was not recorded".formatted(window) : "no address of DMA");
      return ended(trail);
    }
    long offset = TveLayout.OFFSET.get(iova);
    if (TveLayout.IO_PSIZE.get(tve) == 0) {
      return untranslated(trail, in, tve, offset);
    }
    trail.register("TVT", in, in, TableTrail.print(TveLayout.LAYOUT, tve));
    return tables(trail, tve, offset, write);
  }

  private PhbWalk untranslated(TableTrail trail, String in, long tve, long offset) {
    boolean open = isPhb3() || TveLayout.NON_TRANSLATE_50.isSet(tve);
    if (!open || !TveLayout.holds(tve, offset)) {
      trail.stopRegister("TVT", in, "the window is closed, or does not hold the address");
      return ended(trail);
    }
    Pa pa = new Pa(TveLayout.REAL_ADDRESS.get(offset));
    trail.register("TVT", in, pa.toString(), "the window is not translated");
    return out(trail, pa);
  }

  private PhbWalk tables(TableTrail trail, long tve, long offset, boolean write) {
    int shift = TveLayout.pageShift(tve);
    int bits = TveLayout.entriesShift(tve);
    int level = TveLayout.NUM_LEVELS.getInt(tve);
    String in = "offset 0x%x".formatted(offset);
    if (level > TveLayout.MOST_LEVELS
        || TveLayout.TABLE_SIZE.get(tve) == 0
        || shifted(offset, shift + bits * (level + 1)) != 0) {
      trail.stopRegister("TVT", in, "the tables do not reach so far, or the TVE is not valid");
      return ended(trail);
    }
    long table = TveLayout.table(tve);
    for (; ; level--) {
      long index = shifted(offset, shift + bits * level) & (1L << bits) - 1;
      long at = table + index * TceLayout.BYTES;
      OptionalLong word = trail.read(at, "TCE of level " + level);
      if (word.isEmpty()) {
        return ended(trail);
      }
      long tce = TceLayout.swapped(word.getAsLong());
      if (!TceLayout.isValid(tce)
          || level == 0 && !(write ? TceLayout.WRITE : TceLayout.READ).isSet(tce)) {
        trail.stopAt(
            "TCE of level " + level, in, "refused: " + TableTrail.print(TceLayout.LAYOUT, tce), at);
        return ended(trail);
      }
      table = TceLayout.RPN.get(tce);
      trail.entry(
          "TCE of level " + level,
          in,
          "0x" + Long.toHexString(table),
          TableTrail.print(TceLayout.LAYOUT, tce),
          at);
      if (level == 0) {
        Pa pa = new Pa((table & -(1L << shift)) + (offset & (1L << shift) - 1));
        return out(trail, pa);
      }
    }
  }

  private static long shifted(long value, int by) {
    return by < Long.SIZE ? value >>> by : 0;
  }

  /// {@return the PE of a requester id that may go on}
  private OptionalInt pe(TableTrail trail, int rid) {
    String in = "requester id 0x%x".formatted(rid);
    Long bar = registers.get("RTT_BAR");
    if (bar == null || !Phb4Registers.RTT_ENABLE.isSet(bar)) {
      trail.stopRegister("PHB_RTT_BAR", in, "no RTT is there, or it was not recorded");
      return OptionalInt.empty();
    }
    long at = Phb4Registers.RTT_BASE.get(bar) + (long) rid * RttLayout.BYTES;
    OptionalLong low = memory.read8(at);
    OptionalLong high = memory.read8(at + 1);
    if (low.isEmpty() || high.isEmpty()) {
      trail.stopAt("RTT", in, "cannot see the RTE", at);
      return OptionalInt.empty();
    }
    int pe = (int) (low.getAsLong() << Byte.SIZE | high.getAsLong());
    trail.entry("RTT", in, "PE 0x%x".formatted(pe), "entry of the requester id", at);
    Long state = registers.get("PESTB" + pe);
    if (state != null && PestLayout.DMA_STOPPED.isSet(state)) {
      trail.stopRegister("PEST", "PE 0x%x".formatted(pe), "the PE is stopped (EEH)");
      return OptionalInt.empty();
    }
    return OptionalInt.of(pe);
  }

  private static PhbWalk ended(TableTrail trail) {
    return new PhbWalk(
        trail.hops(), Optional.empty(), OptionalInt.empty(), OptionalInt.empty(), trail.stopped());
  }
}
