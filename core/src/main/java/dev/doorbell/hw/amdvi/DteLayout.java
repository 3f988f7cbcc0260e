package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.JoinedField;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// Device table entry: 32 bytes, four little-endian quadwords; the manual's bit n is bit n mod 64 of quadword n / 64.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.2.2.1 Device Table Entry Format.
public final class DteLayout {
  /// Bytes of an entry.
  public static final int BYTES = 32;

  /// Mode: addresses pass.
  public static final int MODE_NONE = 0;

  /// The most levels of tables that Mode can state.
  public static final int MOST_LEVELS = 6;

  /// IntCtl: fixed and arbitrated interrupts are aborted.
  public static final int INT_ABORT = 0b00;

  /// IntCtl: they pass as they are.
  public static final int INT_FORWARD = 0b01;

  /// IntCtl: they are remapped.
  public static final int INT_REMAP = 0b10;

  /// IntTabLen: the largest encoding, 2048 entries.
  public static final int MOST_INT_TAB_LEN = 11;

  private static final ValueNames CONTROLS =
      ValueNames.of(
          0b00, "target abort", 0b01, "forward unmapped", 0b10, "remap", 0b11, "reserved");
  private static final Layout Q0 = Layout.lsb0("DTE[0]", 8);
  private static final Layout Q1 = Layout.lsb0("DTE[1]", 8);
  private static final Layout Q2 = Layout.lsb0("DTE[2]", 8);
  private static final Layout Q3 = Layout.lsb0("DTE[3]", 8);

  // spotless:off
  public static final Field V            = Q0.bit    ("V",             0);
  public static final Field TV           = Q0.bit    ("TV",            1);
  public static final Field HAD          = Q0.bits   ("HAD",           8, 7);
  public static final Field MODE         = Q0.bits   ("Mode",         11, 9);
  public static final Field ROOT         = Q0.address("HostPageTableRoot", 51, 12);
  public static final Field PPR          = Q0.bit    ("PPR",          52);
  public static final Field GPRP         = Q0.bit    ("GPRP",         53);
  public static final Field GIOV         = Q0.bit    ("GIoV",         54);
  public static final Field GV           = Q0.bit    ("GV",           55);
  public static final Field GLX          = Q0.bits   ("GLX",          57, 56);
  public static final Field GCR3_A       = Q0.bits   ("GCR3 14:12",   60, 58);
  public static final Field IR           = Q0.bit    ("IR",           61);
  public static final Field IW           = Q0.bit    ("IW",           62);
  public static final Field DOMAIN_ID    = Q1.bits   ("DomainID",     15, 0);
  public static final Field GCR3_B       = Q1.bits   ("GCR3 30:15",   31, 16);
  public static final Field I            = Q1.bit    ("I",            32);
  public static final Field SE           = Q1.bit    ("SE",           33);
  public static final Field SA           = Q1.bit    ("SA",           34);
  public static final Field IO_CTL       = Q1.bits   ("IoCtl",        36, 35);
  public static final Field CACHE        = Q1.bit    ("Cache",        37);
  public static final Field SD           = Q1.bit    ("SD",           38);
  public static final Field EX           = Q1.bit    ("EX",           39);
  public static final Field SYS_MGT      = Q1.bits   ("SysMgt",       41, 40);
  public static final Field SATS         = Q1.bit    ("SATS",         42);
  public static final Field GCR3_C       = Q1.bits   ("GCR3 51:31",   63, 43);
  public static final Field IV           = Q2.bit    ("IV",            0);
  public static final Field INT_TAB_LEN  = Q2.bits   ("IntTabLen",     4, 1);
  public static final Field IG           = Q2.bit    ("IG",            5);
  public static final Field INT_TAB_ROOT = Q2.address("IntTabRoot",   51, 6);
  public static final Field GUEST_PAGING_MODE = Q2.bits("GuestPagingMode", 55, 54, ValueNames.of(0, "4 levels", 1, "5 levels"));
  public static final Field INIT_PASS    = Q2.bit    ("InitPass",     56);
  public static final Field EINT_PASS    = Q2.bit    ("EIntPass",     57);
  public static final Field NMI_PASS     = Q2.bit    ("NMIPass",      58);
  public static final Field HPT_MODE     = Q2.bit    ("HPTMode",      59);
  public static final Field INT_CTL      = Q2.bits   ("IntCtl",       61, 60, CONTROLS);
  public static final Field LINT0_PASS   = Q2.bit    ("Lint0Pass",    62);
  public static final Field LINT1_PASS   = Q2.bit    ("Lint1Pass",    63);
  public static final Field ATTR_V       = Q3.bit    ("AttrV",        54);
  public static final Field MODE0_FC     = Q3.bit    ("Mode0FC",      55);
  public static final Field SNOOP        = Q3.bits   ("SnoopAttribute", 63, 56);
  // spotless:on

  public static final Layout WORD_0 = Q0.res0(6, 2).res0(63, 63).seal();
  public static final Layout WORD_1 = Q1.seal();
  public static final Layout WORD_2 = Q2.res0(53, 52).seal();
  public static final Layout WORD_3 = Q3.software(53, 0).seal();

  /// The entry's quadwords.
  public static final List<Layout> ENTRY = List.of(WORD_0, WORD_1, WORD_2, WORD_3);

  /// Address of the guest CR3 table.
  public static final JoinedField GCR3 =
      new JoinedField(
          "GCR3TableRootPointer",
          List.of(
              new JoinedField.Piece(GCR3_A, 0, 12),
              new JoinedField.Piece(GCR3_B, 1, 15),
              new JoinedField.Piece(GCR3_C, 1, 31)));

  private DteLayout() {}
}
