package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// Entries of host I/O page tables (v1): 8 bytes, 512 a table.
///
/// NextLevel 0 says that the entry maps a page of its level's size, 7 a page whose size the address encodes: of n consecutive ones from bit
/// 12 on that end with a zero at bit 12 + n, the page has 2^(13+n) bytes.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.2.3 I/O Page Tables for Host Translations.
public final class IoPageLayout {
  /// Bytes of an entry.
  public static final int BYTES = 8;

  /// Address bits that one level indexes with.
  public static final int INDEX_BITS = 9;

  /// Bits of an offset in a page of level 1.
  public static final int PAGE_BITS = 12;

  /// NextLevel: a page of its level's size.
  public static final int PAGE = 0;

  /// NextLevel: a page whose size the address encodes.
  public static final int SIZED_PAGE = 7;

  private static final Layout L = Layout.lsb0("I/O page table entry", 8);

  // spotless:off
  public static final Field PR         = L.bit    ("PR",         0);
  public static final Field A          = L.bit    ("A",          5);
  public static final Field D          = L.bit    ("D",          6);
  public static final Field NEXT_LEVEL = L.bits   ("NextLevel", 11, 9, ValueNames.of(0, "page", 7, "page of encoded size"));
  public static final Field ADDRESS    = L.address("Address",   51, 12);
  public static final Field U          = L.bit    ("U",         59);
  public static final Field FC         = L.bit    ("FC",        60);
  public static final Field IR         = L.bit    ("IR",        61);
  public static final Field IW         = L.bit    ("IW",        62);
  // spotless:on

  public static final Layout ENTRY =
      L.ignored(4, 1).ignored(8, 7).res0(58, 52).ignored(63, 63).seal();

  private IoPageLayout() {}
}
