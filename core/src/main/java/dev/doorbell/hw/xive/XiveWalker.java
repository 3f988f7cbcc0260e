package dev.doorbell.hw.xive;

import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.TableTrail;
import dev.doorbell.irq.XiveEventLayout;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// Explains an XIVE's tables as they stand: where the events of a source go. Reads only. Immutable.
///
/// **Source**: skiboot 7.1 `include/xive-regs.h`, `hw/xive.c` (`xive_get_irq_targetting`).
public final class XiveWalker {
  private final String id;
  private final XiveGeneration generation;
  private final Map<String, Long> tables;
  private final MemoryView memory;

  /// @param tables descriptors of the tables in memory, by table and block: `EAT0`, `ENDT0`, `NVTT0`
  public XiveWalker(
      String id, XiveGeneration generation, Map<String, Long> tables, MemoryView memory) {
    this.id = id;
    this.generation = generation;
    this.tables = Map.copyOf(tables);
    this.memory = memory;
  }

  /// {@return the way of a source's event}
  ///
  /// @param number the source's, in the machine
  public XiveWalk walk(int number) {
    TableTrail trail = new TableTrail(id, memory);
    String in = "event of interrupt 0x%x".formatted(number);
    OptionalLong at =
        entry(
            trail,
            "EAT",
            XiveEventLayout.NUMBER_BLOCK.getInt(number),
            XiveEventLayout.NUMBER_INDEX.get(number),
            EasLayout.BYTES);
    OptionalLong word = at.isEmpty() ? at : trail.read(at.getAsLong(), "EAS");
    if (word.isEmpty()) {
      return ended(trail);
    }
    long eas = EasLayout.swapped(word.getAsLong());
    if (!EasLayout.VALID.isSet(eas) || EasLayout.MASKED.isSet(eas)) {
      trail.stopAt("EAS", in, "not valid, or masked: the event is dropped", at.getAsLong());
      return ended(trail);
    }
    String end =
        "END %d/0x%x".formatted(EasLayout.END_BLOCK.getInt(eas), EasLayout.END_INDEX.getInt(eas));
    trail.entry("EAS", in, end, TableTrail.print(EasLayout.LAYOUT, eas), at.getAsLong());
    return end(trail, end, eas);
  }

  private XiveWalk end(TableTrail trail, String in, long eas) {
    OptionalLong at =
        entry(
            trail,
            "ENDT",
            EasLayout.END_BLOCK.getInt(eas),
            EasLayout.END_INDEX.get(eas),
            EndLayout.BYTES);
    if (at.isEmpty()) {
      return ended(trail);
    }
    OptionalLong w0 = word(trail, at.getAsLong(), 0);
    OptionalLong w6 = word(trail, at.getAsLong(), 6);
    OptionalLong w7 = word(trail, at.getAsLong(), 7);
    if (w0.isEmpty() || w6.isEmpty() || w7.isEmpty()) {
      return ended(trail);
    }
    if (!generation.isValid(w0.getAsLong())) {
      trail.stopAt("END", in, "not valid: the event is dropped", at.getAsLong());
      return ended(trail);
    }
    if (!generation.notifies(w0.getAsLong())) {
      trail.stopAt("END", in, "the event is queued at most, and nobody is told", at.getAsLong());
      return ended(trail);
    }
    long priority = EndLayout.F0_PRIORITY.get(w7.getAsLong());
    if (priority >= EndLayout.PRIORITIES) {
      trail.stopAt(
          "END", in, "priority %d gets through to nobody".formatted(priority), at.getAsLong());
      return ended(trail);
    }
    int block = generation.targetBlock(w6.getAsLong());
    int target = generation.target(w6.getAsLong());
    String out = "NVT %d/0x%x".formatted(block, target);
    trail.entry(
        "END",
        in,
        out,
        "the event is written to a queue: " + TableTrail.print(generation.head(), w0.getAsLong()),
        at.getAsLong());
    return target(trail, out, block, target);
  }

  private XiveWalk target(TableTrail trail, String in, int block, int target) {
    OptionalLong at = entry(trail, "NVTT", block, target, generation.targetBytes());
    OptionalLong w0 = at.isEmpty() ? at : word(trail, at.getAsLong(), 0);
    if (w0.isEmpty()) {
      return ended(trail);
    }
    if (!NvtLayout.VALID.isSet(w0.getAsLong()) || !NvtLayout.HARDWARE.isSet(target)) {
      trail.stopAt("NVT", in, "not valid, or not of a hardware thread", at.getAsLong());
      return ended(trail);
    }
    int thread = NvtLayout.THREAD.getInt(target);
    trail.entry("NVT", in, "thread %d".formatted(thread), "the thread is told", at.getAsLong());
    return new XiveWalk(trail.hops(), OptionalInt.of(thread), Optional.empty());
  }

  private OptionalLong entry(TableTrail trail, String table, int block, long index, int bytes) {
    Long vsd = tables.get(table + block);
    if (vsd == null || index >= VsdLayout.bytes(vsd) / bytes) {
      trail.stopRegister(
          "VSD of " + table,
          "entry %d/0x%x".formatted(block, index),
          "no such table in one piece was recorded, or it is too short");
      return OptionalLong.empty();
    }
    return OptionalLong.of(VsdLayout.ADDRESS.get(vsd) + index * bytes);
  }

  private static OptionalLong word(TableTrail trail, long at, int index) {
    OptionalLong word = trail.read32(at + (long) index * Integer.BYTES, "word " + index);
    return word.isEmpty() ? word : OptionalLong.of(EndLayout.swapped(word.getAsLong()));
  }

  private static XiveWalk ended(TableTrail trail) {
    return new XiveWalk(trail.hops(), OptionalInt.empty(), trail.stopped());
  }
}
