package dev.doorbell.hw.vtd;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Paging entries of both stages: 8 bytes, 512 a table, 4 KiB pages at level 1; an entry with PS set at level 2 or 3 is a page of 2 MiB or 1 GiB.
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 9.7 First-Stage Paging Entries, 9.8 Second-Stage Paging Entries.
public final class PagingLayout {
  /// Bytes of an entry.
  public static final int BYTES = 8;

  /// Address bits that one level indexes with.
  public static final int INDEX_BITS = 9;

  /// Bits of an offset in a page of level 1.
  public static final int PAGE_BITS = 12;

  /// Bits of the widest physical address.
  static final int MEMORY_BITS = 52;

  /// The highest level that may hold a page.
  public static final int LARGEST_PAGE_LEVEL = 3;

  private static final Layout S = Layout.lsb0("second-stage entry", 8);
  private static final Layout F = Layout.lsb0("first-stage entry", 8);

  // spotless:off
  public static final Field R          = S.bit    ("R",     0);
  public static final Field W          = S.bit    ("W",     1);
  public static final Field X          = S.bit    ("X",     2);
  public static final Field PS         = S.bit    ("PS",    7);
  public static final Field A          = S.bit    ("A",     8);
  public static final Field D          = S.bit    ("D",     9);
  public static final Field SNP        = S.bit    ("SNP",  11);
  public static final Field ADDRESS    = S.address("ADDR", 51, 12);
  public static final Field P          = F.bit    ("P",     0);
  public static final Field RW         = F.bit    ("R/W",   1);
  public static final Field US         = F.bit    ("U/S",   2);
  public static final Field FS_A       = F.bit    ("A",     5);
  public static final Field FS_D       = F.bit    ("D",     6);
  public static final Field FS_PS      = F.bit    ("PS",    7);
  public static final Field FS_ADDRESS = F.address("ADDR", 51, 12);
  public static final Field XD         = F.bit    ("XD",   63);
  // spotless:on

  public static final Layout SECOND_STAGE =
      S.software(6, 3).ignored(10, 10).software(61, 52).res0(62, 62).software(63, 63).seal();

  /// Bits of a second-stage entry that must be 0 where ECAP_REG.SC is 0.
  static final long SECOND_RESERVED = SECOND_STAGE.mask(BitKind.RES0) | SNP.mask();

  public static final Layout FIRST_STAGE = F.software(4, 3).software(11, 8).software(62, 52).seal();

  private PagingLayout() {}
}
