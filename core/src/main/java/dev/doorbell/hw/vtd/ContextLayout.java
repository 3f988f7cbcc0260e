package dev.doorbell.hw.vtd;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// Root and context entries, legacy and scalable: quadwords, little-endian; bit n of the entry is bit n mod 64 of quadword n / 64.
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 9.1 Root Entry, 9.2 Scalable-Mode Root Entry, 9.3 Context
/// Entry, 9.4 Scalable-Mode Context-Entry.
public final class ContextLayout {
  /// Bytes of a root entry of either mode.
  public static final int ROOT_BYTES = 16;

  /// Bytes of a legacy context entry.
  public static final int CONTEXT_BYTES = 16;

  /// Bytes of a scalable context entry; a table has those of 16 device numbers.
  public static final int SCALABLE_BYTES = 32;

  /// TT: second-stage translation.
  public static final int TT_SECOND_STAGE = 0b00;

  /// TT: second-stage translation, and translated requests of the device's own TLB.
  public static final int TT_WITH_DEVICE_TLB = 0b01;

  /// TT: addresses pass.
  public static final int TT_PASS_THROUGH = 0b10;

  private static final ValueNames TYPES =
      ValueNames.of(
          0b00, "second stage",
          0b01, "second stage, device TLB allowed",
          0b10, "pass-through",
          0b11, "reserved");
  static final ValueNames WIDTHS =
      ValueNames.of(
          0b001, "39 bits, 3 levels", 0b010, "48 bits, 4 levels", 0b011, "57 bits, 5 levels");

  private static final Layout R0 = Layout.lsb0("root entry[0]", 8);
  private static final Layout S0 = Layout.lsb0("scalable root entry[0]", 8);
  private static final Layout S1 = Layout.lsb0("scalable root entry[1]", 8);
  private static final Layout C0 = Layout.lsb0("context entry[0]", 8);
  private static final Layout C1 = Layout.lsb0("context entry[1]", 8);
  private static final Layout X0 = Layout.lsb0("scalable context entry[0]", 8);
  private static final Layout X1 = Layout.lsb0("scalable context entry[1]", 8);

  // spotless:off
  public static final Field ROOT_P     = R0.bit    ("P",            0);
  public static final Field CTP        = R0.address("CTP",         63, 12);
  public static final Field LP         = S0.bit    ("LP",           0);
  public static final Field LCTP       = S0.address("LCTP",        63, 12);
  public static final Field UP         = S1.bit    ("UP",           0);
  public static final Field UCTP       = S1.address("UCTP",        63, 12);
  public static final Field P          = C0.bit    ("P",            0);
  public static final Field FPD        = C0.bit    ("FPD",          1);
  public static final Field TT         = C0.bits   ("TT",           3, 2, TYPES);
  public static final Field SSPTPTR    = C0.address("SSPTPTR",     63, 12);
  public static final Field AW         = C1.bits   ("AW",           2, 0, WIDTHS);
  public static final Field DID        = C1.bits   ("DID",         23, 8);
  public static final Field SM_P       = X0.bit    ("P",            0);
  public static final Field SM_FPD     = X0.bit    ("FPD",          1);
  public static final Field DTE        = X0.bit    ("DTE",          2);
  public static final Field PASIDE     = X0.bit    ("PASIDE",       3);
  public static final Field PRE        = X0.bit    ("PRE",          4);
  public static final Field PDTS       = X0.bits   ("PDTS",        11, 9);
  public static final Field PASIDDIRPTR = X0.address("PASIDDIRPTR", 63, 12);
  public static final Field RID_PASID  = X1.bits   ("RID_PASID",   19, 0);
  public static final Field RID_PRIV   = X1.bit    ("RID_PRIV",    20);
  // spotless:on

  public static final Layout ROOT = R0.res0(11, 1).seal();
  public static final Layout SCALABLE_ROOT_LOW = S0.res0(11, 1).seal();
  public static final Layout SCALABLE_ROOT_HIGH = S1.res0(11, 1).seal();
  public static final Layout CONTEXT_LOW = C0.res0(11, 4).seal();
  public static final Layout CONTEXT_HIGH = C1.ignored(6, 3).res0(7, 7).res0(63, 24).seal();
  public static final Layout SCALABLE_LOW = X0.res0(8, 5).seal();
  public static final Layout SCALABLE_HIGH = X1.res0(63, 21).seal();

  /// A legacy context entry's quadwords.
  public static final List<Layout> CONTEXT = List.of(CONTEXT_LOW, CONTEXT_HIGH);

  private ContextLayout() {}
}
