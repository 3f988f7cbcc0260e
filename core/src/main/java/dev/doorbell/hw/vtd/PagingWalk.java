package dev.doorbell.hw.vtd;

import dev.doorbell.iommu.TableTrail;
import java.util.Optional;
import java.util.OptionalLong;

/// The way of an address through the tables of one stage, or of the first stage by the second.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.6 first stage, 3.7 second stage, 3.8 nested translation.
final class PagingWalk {
  private final TableTrail trail;
  private final UnitLimits limits;
  private final String from;
  private final long fromPa;

  /// @param from the entry that names the tables
  PagingWalk(TableTrail trail, UnitLimits limits, String from, long fromPa) {
    this.trail = trail;
    this.limits = limits;
    this.from = from;
    this.fromPa = fromPa;
  }

  /// A stage's tables.
  record Tables(PagingStage stage, long root, int levels) {
    Tables with(PagingStage other) {
      return new Tables(other, root, levels);
    }
  }

  private OptionalLong stop(String at, String in, String why, long pa) {
    trail.stopAt(at, in, why, pa);
    return OptionalLong.empty();
  }

  /// {@return where an address leads; empty, with the break told, when it leads nowhere}
  ///
  /// @param by the second stage, where it says where the first one's tables and pages lie
  OptionalLong run(Tables tables, long address, boolean write, Optional<Tables> by) {
    PagingStage stage = tables.stage();
    String in = "0x" + Long.toHexString(address);
    if (!stage.walks(limits, tables.levels())) {
      return stop(
          from,
          in,
          stage.invalid().because("tables of %d levels".formatted(tables.levels())),
          fromPa);
    }
    int covered = PagingLayout.PAGE_BITS + tables.levels() * PagingLayout.INDEX_BITS;
    int width = stage == PagingStage.FIRST ? covered : Math.min(covered, limits.inputBits());
    // The first stage takes canonical addresses: the bits above are copies of the highest one.
    if (stage.canonical(address, width) != 0) {
      return stop(
          from,
          in,
          stage.beyond().because("the address has more than %d bits".formatted(width)),
          fromPa);
    }
    long at = tables.root();
    long all = -1;
    for (int level = tables.levels(); level >= 1; level--) {
      int shift = PagingLayout.PAGE_BITS + (level - 1) * PagingLayout.INDEX_BITS;
      long index = address >>> shift & (1 << PagingLayout.INDEX_BITS) - 1;
      String name = "%s level %d".formatted(stage.printed(), level);
      PagingStage reached =
          level == tables.levels() ? PagingStage.SECOND_OF_ROOT : PagingStage.SECOND_OF_TABLES;
      OptionalLong pa = through(at + index * PagingLayout.BYTES, false, by, reached);
      OptionalLong word = pa.isEmpty() ? pa : trail.read(pa.getAsLong(), name);
      if (word.isEmpty()) {
        return word;
      }
      long e = word.getAsLong();
      all &= e;
      boolean page = level == 1 || stage.isPage(e);
      Optional<String> fault = stage.fault(e, all, write, page);
      if (fault.isPresent()) {
        return stop(name, in, fault.get() + "; " + stage.print(e), pa.getAsLong());
      }
      Optional<String> broken = stage.broken(limits, e, level);
      if (broken.isPresent()) {
        return stop(name, in, broken.get() + "; " + stage.print(e), pa.getAsLong());
      }
      if (page) {
        long out = stage.address(e) & -(1L << shift) | address & (1L << shift) - 1;
        trail.entry(name, in, "0x" + Long.toHexString(out), stage.print(e), pa.getAsLong());
        return through(out, write, by, PagingStage.SECOND);
      }
      at = stage.address(e);
      trail.entry(name, in, "table at 0x" + Long.toHexString(at), stage.print(e), pa.getAsLong());
    }
    throw new AssertionError("level 1 holds pages");
  }

  private OptionalLong through(
      long address, boolean write, Optional<Tables> by, PagingStage stage) {
    return by.isEmpty()
        ? OptionalLong.of(address)
        : run(by.get().with(stage), address, write, Optional.empty());
  }
}
