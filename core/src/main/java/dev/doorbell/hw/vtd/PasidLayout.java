package dev.doorbell.hw.vtd;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// PASID directory entry (8 bytes) and PASID table entry (64 bytes, of which three quadwords are used here).
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 9.5 Scalable-Mode PASID Directory Entry, 9.6 Scalable-Mode
/// PASID Table Entry.
public final class PasidLayout {
  /// Bytes of a directory entry.
  public static final int DIRECTORY_BYTES = 8;

  /// Bytes of a table entry.
  public static final int ENTRY_BYTES = 64;

  /// Quadwords of a table entry that say something here.
  static final int WORDS = 3;

  /// PASID bits that index the table; those above index the directory.
  public static final int TABLE_BITS = 6;

  /// Levels of the first stage when FSPM is 0.
  public static final int FEWEST_FIRST_STAGE_LEVELS = 4;

  /// PGTT: first stage.
  public static final int FIRST_STAGE = 0b001;

  /// PGTT: second stage.
  public static final int SECOND_STAGE = 0b010;

  /// PGTT: first stage, its addresses by the second.
  public static final int NESTED = 0b011;

  /// PGTT: addresses pass.
  public static final int PASS_THROUGH = 0b100;

  private static final ValueNames TYPES =
      ValueNames.of(
          0b001, "first stage", 0b010, "second stage", 0b011, "nested", 0b100, "pass-through");
  private static final Layout D = Layout.lsb0("PASID directory entry", 8);
  private static final Layout Q0 = Layout.lsb0("PASID table entry[0]", 8);
  private static final Layout Q1 = Layout.lsb0("PASID table entry[1]", 8);
  private static final Layout Q2 = Layout.lsb0("PASID table entry[2]", 8);

  // spotless:off
  public static final Field DIR_P     = D.bit     ("P",          0);
  public static final Field DIR_FPD   = D.bit     ("FPD",        1);
  public static final Field SMPTBLPTR = D.address ("SMPTBLPTR", 63, 12);
  public static final Field P         = Q0.bit    ("P",          0);
  public static final Field FPD       = Q0.bit    ("FPD",        1);
  public static final Field AW        = Q0.bits   ("AW",         4, 2, ContextLayout.WIDTHS);
  public static final Field SSEE      = Q0.bit    ("SSEE",       5);
  public static final Field PGTT      = Q0.bits   ("PGTT",       8, 6, TYPES);
  public static final Field SSADE     = Q0.bit    ("SSADE",      9);
  public static final Field SSPTPTR   = Q0.address("SSPTPTR",   63, 12);
  public static final Field DID       = Q1.bits   ("DID",       15, 0);
  public static final Field PWSNP     = Q1.bit    ("PWSNP",     23);
  public static final Field PGSNP     = Q1.bit    ("PGSNP",     24);
  public static final Field SRE       = Q2.bit    ("SRE",        0);
  public static final Field ERE       = Q2.bit    ("ERE",        1);
  public static final Field FSPM      = Q2.bits   ("FSPM",       3, 2, ValueNames.of(0b00, "4 levels", 0b01, "5 levels"));
  public static final Field WPE       = Q2.bit    ("WPE",        4);
  public static final Field NXE       = Q2.bit    ("NXE",        5);
  public static final Field SMEP      = Q2.bit    ("SMEP",       6);
  public static final Field EAFE      = Q2.bit    ("EAFE",       7);
  public static final Field FSPTPTR   = Q2.address("FSPTPTR",   63, 12);
  // spotless:on

  public static final Layout DIRECTORY = D.res0(11, 2).seal();
  public static final Layout ENTRY_0 = Q0.res0(11, 10).seal();
  public static final Layout ENTRY_1 = Q1.software(22, 16).software(63, 25).seal();
  public static final Layout ENTRY_2 = Q2.software(11, 8).seal();

  private PasidLayout() {}
}
