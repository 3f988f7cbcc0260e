package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.BitKind;
import dev.doorbell.iommu.TableTrail;
import java.util.Optional;
import java.util.OptionalLong;

/// One DMA access under way through the host's I/O page tables.
///
/// **Source**: AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.2.3.
///
/// @param at the device table entry, for hops
/// @param entryPa where it lies
record IoPageWalk(TableTrail trail, String at, long entryPa, Iova iova, boolean write) {

  /// @param words of the device table entry
  AmdViWalk run(long[] words) {
    long dte = words[0];
    String fields = TableTrail.print(WORD_0, dte);
    if (!V.isSet(dte)) {
      return reached(iova.value());
    }
    if ((dte & WORD_0.mask(BitKind.RES0)) != 0) {
      return stop(at, "ILLEGAL_DEV_TABLE_ENTRY: reserved bits are set; " + fields, entryPa);
    }
    if (!TV.isSet(dte)) {
      return stop(at, "IO_PAGE_FAULT: TV=0, the entry has no translation; " + fields, entryPa);
    }
    int levels = MODE.getInt(dte);
    if (levels > MOST_LEVELS) {
      return stop(at, "ILLEGAL_DEV_TABLE_ENTRY: Mode is reserved; " + fields, entryPa);
    }
    if (write ? !IW.isSet(dte) : !IR.isSet(dte)) {
      return stop(at, "IO_PAGE_FAULT: %s=0; %s".formatted(write ? "IW" : "IR", fields), entryPa);
    }
    if (GV.isSet(dte) && GIOV.isSet(dte)) {
      return new GuestPageWalk(trail, at, entryPa, iova, write, words).run();
    }
    if (levels == MODE_NONE) {
      trail.entry(at, iova.toString(), "passes", "Mode=0: not translated; " + fields, entryPa);
      return reached(iova.value());
    }
    long table = ROOT.get(dte);
    trail.entry(at, iova.toString(), "table at 0x" + Long.toHexString(table), fields, entryPa);
    return host(words);
  }

  /// {@return the way through the host's tables alone}
  AmdViWalk host(long[] words) {
    int levels = MODE.getInt(words[0]);
    int width = width(levels);
    if (width < Long.SIZE && iova.value() >>> width != 0) {
      return stop(at, "IO_PAGE_FAULT: the address has more than %d bits".formatted(width), entryPa);
    }
    return tables(ROOT.get(words[0]), levels);
  }

  private static int width(int levels) {
    return IoPageLayout.PAGE_BITS + levels * IoPageLayout.INDEX_BITS;
  }

  /// Each turn goes at least one level down, so that a table that leads to itself ends.
  private AmdViWalk tables(long root, int levels) {
    long table = root;
    int level = levels;
    while (true) {
      int shift = width(level - 1);
      long index = iova.value() >>> shift & (1 << IoPageLayout.INDEX_BITS) - 1;
      long pa = table + index * IoPageLayout.BYTES;
      String name = "level " + level;
      OptionalLong word = trail.read(pa, name);
      if (word.isEmpty()) {
        return ended();
      }
      long e = word.getAsLong();
      String fields = TableTrail.print(IoPageLayout.ENTRY, e);
      if (!IoPageLayout.PR.isSet(e)) {
        return stop(name, "IO_PAGE_FAULT: the entry is not present (PR=0); " + fields, pa);
      }
      if ((e & IoPageLayout.ENTRY.mask(BitKind.RES0)) != 0) {
        return stop(name, "IO_PAGE_FAULT: reserved bits are set; " + fields, pa);
      }
      if (write ? !IoPageLayout.IW.isSet(e) : !IoPageLayout.IR.isSet(e)) {
        return stop(name, "IO_PAGE_FAULT: %s=0; %s".formatted(write ? "IW" : "IR", fields), pa);
      }
      int next = IoPageLayout.NEXT_LEVEL.getInt(e);
      if (next == IoPageLayout.PAGE || next == IoPageLayout.SIZED_PAGE) {
        int bits = next == IoPageLayout.PAGE ? shift : sizedBits(e);
        if (next == IoPageLayout.SIZED_PAGE && (bits <= shift || bits >= width(level))) {
          return stop(
              name,
              "IO_PAGE_FAULT: a page of 2^%d bytes is not of this level; %s"
                  .formatted(bits, fields),
              pa);
        }
        long mask = bits >= Long.SIZE ? -1L : (1L << bits) - 1;
        long out = IoPageLayout.ADDRESS.get(e) & ~mask | iova.value() & mask;
        trail.entry(name, iova.toString(), "0x" + Long.toHexString(out), fields, pa);
        return reached(out);
      }
      if (next >= level) {
        return stop(name, "IO_PAGE_FAULT: NextLevel does not go down; " + fields, pa);
      }
      long skipped = iova.value() >>> width(next) & (1L << shift - width(next)) - 1;
      if (skipped != 0) {
        return stop(
            name,
            "IO_PAGE_FAULT: address bits of a level that is skipped are not 0; " + fields,
            pa);
      }
      table = IoPageLayout.ADDRESS.get(e);
      trail.entry(name, iova.toString(), "table at 0x" + Long.toHexString(table), fields, pa);
      level = next;
    }
  }

  /// {@return bits of the offset in a page whose size its address encodes}
  private static int sizedBits(long entry) {
    int ones =
        Long.numberOfTrailingZeros(~(IoPageLayout.ADDRESS.get(entry) >>> IoPageLayout.PAGE_BITS));
    return IoPageLayout.PAGE_BITS + ones + 1;
  }

  private AmdViWalk ended() {
    return new AmdViWalk(trail.hops(), Optional.empty(), trail.stopped());
  }

  private AmdViWalk stop(String where, String why, long pa) {
    trail.stopAt(where, iova.toString(), why, pa);
    return ended();
  }

  private AmdViWalk reached(long pa) {
    return new AmdViWalk(trail.hops(), Optional.of(new Pa(pa)), Optional.empty());
  }
}
