package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Entries of guest CR3 tables, and of guest I/O page tables (v2), which are those of the processor's long mode: 8 bytes, 512 a table.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.2.6 Guest Page Tables.
public final class GuestPageLayout {
  /// Bytes of an entry.
  public static final int BYTES = 8;

  private static final Layout R = Layout.lsb0("guest CR3 table entry", 8);
  private static final Layout L = Layout.lsb0("guest page table entry", 8);

  // spotless:off
  public static final Field V          = R.bit    ("V",        0);
  public static final Field CR3        = R.address("CR3",     51, 12);
  public static final Field P          = L.bit    ("P",        0);
  public static final Field RW         = L.bit    ("R/W",      1);
  public static final Field US         = L.bit    ("U/S",      2);
  public static final Field A          = L.bit    ("A",        5);
  public static final Field D          = L.bit    ("D",        6);
  public static final Field PS         = L.bit    ("PS",       7);
  public static final Field ADDRESS    = L.address("Address", 51, 12);
  public static final Field NX         = L.bit    ("NX",      63);
  // spotless:on

  /// PWT and PCD of the page that CR3 names count for nothing here.
  public static final Layout ROOT = R.res0(2, 1).ignored(4, 3).res0(11, 5).res0(63, 52).seal();

  /// PWT, PCD, G, PAT and what software may use count for nothing here.
  public static final Layout ENTRY = L.ignored(4, 3).ignored(11, 8).ignored(62, 52).seal();

  private GuestPageLayout() {}
}
