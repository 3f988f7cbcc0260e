package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.BitKind;
import dev.doorbell.iommu.TableTrail;
import java.util.Optional;
import java.util.OptionalLong;

/// One DMA access without a PASID under way through guest I/O page tables (v2), which it has as PASID 0 where GIoV is 1: as Linux does it that
/// was told to use them for itself. Where the entry has the host's tables, too, they translate what guest tables lead to, each on the way.
///
/// **Source**: AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.2.6, 2.2.7 (nested).
///
/// @param at the device table entry, for hops
/// @param entryPa where it lies
/// @param dte its words
record GuestPageWalk(
    TableTrail trail, String at, long entryPa, Iova iova, boolean write, long[] dte) {
  private static final int FOUR_LEVELS = 4;

  /// GuestPagingMode: the last that is not reserved, five levels.
  private static final int LAST_PAGING = 1;

  /// GLX: the last that is not reserved, three levels of guest CR3 tables.
  private static final int LAST_GLX = 2;

  /// Levels whose entries can be pages.
  private static final int LAST_PAGE_LEVEL = 3;

  AmdViWalk run() {
    String fields = TableTrail.print(WORD_0, dte[0]);
    int paging = GUEST_PAGING_MODE.getInt(dte[2]);
    if (GLX.getInt(dte[0]) > LAST_GLX || paging > LAST_PAGING) {
      return stop(
          at, "ILLEGAL_DEV_TABLE_ENTRY: GLX or GuestPagingMode is reserved; " + fields, entryPa);
    }
    long table = GCR3.get(dte[0], dte[1]);
    trail.entry(
        at,
        iova.toString(),
        "guest CR3 table at 0x" + Long.toHexString(table),
        "GV=1 and GIoV=1: an access without a PASID has PASID 0; " + fields,
        entryPa);
    for (int level = GLX.getInt(dte[0]) + 1; level > 0; level--) {
      OptionalLong next = root(table, level);
      if (next.isEmpty()) {
        return ended();
      }
      table = next.getAsLong();
    }
    return tables(table, FOUR_LEVELS + paging);
  }

  /// {@return what the entry of PASID 0 leads to; empty when the walk ends}
  private OptionalLong root(long table, int level) {
    String name = "guest CR3 table, level " + level;
    OptionalLong word = trail.read(table, name);
    if (word.isEmpty()) {
      return word;
    }
    String fields = TableTrail.print(GuestPageLayout.ROOT, word.getAsLong());
    if (!GuestPageLayout.V.isSet(word.getAsLong())) {
      stop(name, "IO_PAGE_FAULT: PASID 0 has no tables (V=0); " + fields, table);
      return OptionalLong.empty();
    }
    if ((word.getAsLong() & GuestPageLayout.ROOT.mask(BitKind.RES0)) != 0) {
      stop(name, "IO_PAGE_FAULT: reserved bits are set; " + fields, table);
      return OptionalLong.empty();
    }
    long next = GuestPageLayout.CR3.get(word.getAsLong());
    trail.entry(name, "PASID 0", "table at 0x" + Long.toHexString(next), fields, table);
    return OptionalLong.of(next);
  }

  private AmdViWalk tables(long root, int levels) {
    int unused = Long.SIZE - coveredBits(levels + 1);
    if (iova.value() << unused >> unused != iova.value()) {
      return stop(
          at,
          "IO_PAGE_FAULT: the address is not canonical in %d bits"
              .formatted(coveredBits(levels + 1)),
          entryPa);
    }
    long table = root;
    for (int level = levels; level > 0; level--) {
      long index = iova.value() >>> coveredBits(level) & (1 << IoPageLayout.INDEX_BITS) - 1;
      Optional<Pa> place = behind(table + index * GuestPageLayout.BYTES, false);
      if (place.isEmpty()) {
        return ended();
      }
      long pa = place.get().value();
      String name = "guest level " + level;
      OptionalLong word = trail.read(pa, name);
      if (word.isEmpty()) {
        return ended();
      }
      long e = word.getAsLong();
      String fields = TableTrail.print(GuestPageLayout.ENTRY, e);
      Optional<String> wrong = wrong(e, level);
      if (wrong.isPresent()) {
        return stop(name, "IO_PAGE_FAULT: " + wrong.get() + "; " + fields, pa);
      }
      if (level == 1 || GuestPageLayout.PS.isSet(e)) {
        long mask = (1L << coveredBits(level)) - 1;
        long out = GuestPageLayout.ADDRESS.get(e) & ~mask | iova.value() & mask;
        trail.entry(name, iova.toString(), "0x" + Long.toHexString(out), fields, pa);
        Optional<Pa> reached = behind(out, write);
        return reached.isEmpty() ? ended() : new AmdViWalk(trail.hops(), reached, Optional.empty());
      }
      table = GuestPageLayout.ADDRESS.get(e);
      trail.entry(name, iova.toString(), "table at 0x" + Long.toHexString(table), fields, pa);
    }
    throw new IllegalStateException("the last level is a page's");
  }

  private Optional<String> wrong(long e, int level) {
    if (!GuestPageLayout.P.isSet(e)) {
      return Optional.of("the entry is not present (P=0)");
    }
    boolean page = level > 1 && GuestPageLayout.PS.isSet(e);
    // Bit 12 of a large page is PAT.
    long low = page ? (1L << coveredBits(level)) - (2L << IoPageLayout.PAGE_BITS) : 0;
    if (page && (level > LAST_PAGE_LEVEL || (GuestPageLayout.ADDRESS.get(e) & low) != 0)) {
      return Optional.of("reserved bits are set");
    }
    if (write && !GuestPageLayout.RW.isSet(e)) {
      return Optional.of("R/W=0");
    }
    return GuestPageLayout.US.isSet(e)
        ? Optional.empty()
        : Optional.of("U/S=0, and an access without a PASID is a user's");
  }

  /// {@return where a guest physical address lies; empty when the host's tables end the walk}
  private Optional<Pa> behind(long address, boolean writes) {
    return MODE.getInt(dte[0]) == MODE_NONE
        ? Optional.of(new Pa(address))
        : new IoPageWalk(trail, at, entryPa, new Iova(address), writes).host(dte).output();
  }

  /// {@return log2 of the bytes that an entry of a level covers}
  private static int coveredBits(int level) {
    return IoPageLayout.PAGE_BITS + (level - 1) * IoPageLayout.INDEX_BITS;
  }

  private AmdViWalk ended() {
    return new AmdViWalk(trail.hops(), Optional.empty(), trail.stopped());
  }

  private AmdViWalk stop(String where, String why, long pa) {
    trail.stopAt(where, iova.toString(), why, pa);
    return ended();
  }
}
