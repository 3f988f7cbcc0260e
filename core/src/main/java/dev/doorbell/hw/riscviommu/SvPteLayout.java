package dev.doorbell.hw.riscviommu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Page table entries of Sv39, Sv48 and Sv57, of either stage.
///
/// **Source**: RISC-V Privileged Architecture 20240411, 12.4 to 12.6 (Sv39, Sv48, Sv57), 13 (Svnapot), 14 (Svpbmt), 18.5 (two-stage address translation).
public final class SvPteLayout {
  private SvPteLayout() {}

  public static final int BYTES = 8;
  public static final int BITS_PER_LEVEL = 9;

  /// Bits that the first table of a second stage resolves besides: it is four pages.
  public static final int WIDER_ROOT_BITS = 2;

  public static final int PBMT_IO = 2;
  public static final int PBMT_RESERVED = 3;

  private static final Layout L = Layout.lsb0("PTE", 8);

  // spotless:off
  public static final Field V     = L.bit ("V",     0);
  public static final Field R     = L.bit ("R",     1);
  public static final Field W     = L.bit ("W",     2);
  public static final Field X     = L.bit ("X",     3);
  public static final Field U     = L.bit ("U",     4);
  public static final Field G     = L.bit ("G",     5);
  public static final Field A     = L.bit ("A",     6);
  public static final Field D     = L.bit ("D",     7);
  public static final Field PPN   = L.bits("PPN",  53, 10);
  public static final Field PBMT  = L.bits("PBMT", 62, 61);
  public static final Field N     = L.bit ("N",    63);
  public static final Layout PTE  = L.software(9, 8).res0(60, 54).seal();
  // spotless:on

  /// Bits that no entry may have set.
  public static final long RESERVED = PTE.mask(dev.doorbell.bits.BitKind.RES0);

  /// Bits that an entry which leads to a next table may not have set besides.
  public static final long RESERVED_IN_POINTERS =
      RESERVED | U.mask() | A.mask() | D.mask() | PBMT.mask() | N.mask();

  /// {@return levels of a `MODE` of first or second stage; 0 for one that is no such mode}
  public static int levels(int mode) {
    return switch (mode) {
      case DirectoryLayout.SV39 -> 3;
      case DirectoryLayout.SV48 -> 4;
      case DirectoryLayout.SV57 -> 5;
      default -> 0;
    };
  }

  /// What the lowest bits of PPN hold in a leaf with N: the page is one of sixteen that lie together.
  private static final long CONTIGUOUS = 0b1000;

  private static final int CONTIGUOUS_BITS = 4;

  /// {@return whether N is one that Svnapot knows}
  ///
  /// @param level 0 for pages of 4 KiB
  public static boolean isContiguous(long pte, int level) {
    return level == 0 && within(PPN.get(pte), CONTIGUOUS_BITS) == CONTIGUOUS;
  }

  /// {@return base 2 logarithm of the bytes that a leaf maps}
  ///
  /// @param level 0 for pages of 4 KiB
  public static int pageShift(long pte, int level) {
    return shift(level) + (N.isSet(pte) ? CONTIGUOUS_BITS : 0);
  }

  /// {@return whether an entry translates}
  public static boolean isLeaf(long pte) {
    return (pte & (R.mask() | W.mask() | X.mask())) != 0;
  }

  /// {@return base 2 logarithm of the bytes that an entry of a level covers}
  ///
  /// @param level 0 for pages of 4 KiB
  public static int shift(int level) {
    return DirectoryLayout.PAGE_SHIFT + level * BITS_PER_LEVEL;
  }

  /// {@return the index of an address into a table of a level}
  ///
  /// @param level 0 for the last
  /// @param widerBits bits that the table resolves besides
  public static long index(long address, int level, int widerBits) {
    return within(address >>> shift(level), BITS_PER_LEVEL + widerBits);
  }

  /// {@return the lowest bits of an address}
  public static long within(long address, int bits) {
    return address & ((1L << bits) - 1);
  }

  /// {@return whether an address has no bit above some}
  public static boolean fits(long address, int bits) {
    return address >>> bits == 0;
  }

  /// {@return whether all bits above those that a first stage resolves are like the highest of these}
  ///
  /// @param levels of its tables
  public static boolean isCanonical(long iova, int levels) {
    int unused = Long.SIZE - shift(levels);
    return iova << unused >> unused == iova;
  }
}
