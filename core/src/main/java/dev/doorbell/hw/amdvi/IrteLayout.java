package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.JoinedField;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// Interrupt remapping table entry, of 4 bytes or, with Control.GAEn, of 16; and the index that a message's datum is.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.2.5 Interrupt Remapping Tables (2.2.5.2:
/// entries with and without guest virtual APIC).
public final class IrteLayout {
  /// Bytes of an entry without GAEn.
  public static final int BYTES = 4;

  /// Bytes of an entry with GAEn.
  public static final int WIDE_BYTES = 16;

  private static final ValueNames TYPES = ValueNames.of(0, "fixed", 1, "arbitrated");
  private static final ValueNames MODES = ValueNames.of(0, "physical", 1, "logical");
  private static final Layout N = Layout.lsb0("IRTE", 4);
  private static final Layout L = Layout.lsb0("IRTE[0]", 8);
  private static final Layout H = Layout.lsb0("IRTE[1]", 8);
  private static final Layout GL = Layout.lsb0("guest IRTE[0]", 8);
  private static final Layout GH = Layout.lsb0("guest IRTE[1]", 8);
  private static final Layout D = Layout.lsb0("message data", 4);

  // spotless:off
  public static final Field REMAP_EN        = N.bit    ("RemapEn",       0);
  public static final Field SUP_IOPF        = N.bit    ("SupIOPF",       1);
  public static final Field INT_TYPE        = N.bits   ("IntType",       4, 2, TYPES);
  public static final Field RQ_EOI          = N.bit    ("RqEoi",         5);
  public static final Field DM              = N.bit    ("DM",            6, MODES);
  public static final Field DESTINATION     = N.bits   ("Destination",  15, 8);
  public static final Field VECTOR          = N.bits   ("Vector",       23, 16);
  public static final Field WIDE_REMAP_EN   = L.bit    ("RemapEn",       0);
  public static final Field WIDE_SUP_IOPF   = L.bit    ("SupIOPF",       1);
  public static final Field WIDE_INT_TYPE   = L.bits   ("IntType",       4, 2, TYPES);
  public static final Field WIDE_RQ_EOI     = L.bit    ("RqEoi",         5);
  public static final Field WIDE_DM         = L.bit    ("DM",            6, MODES);
  public static final Field GUEST_MODE      = L.bit    ("GuestMode",     7);
  public static final Field DESTINATION_LOW = L.bits   ("Destination[23:0]", 31, 8);
  public static final Field WIDE_VECTOR     = H.bits   ("Vector",        7, 0);
  public static final Field DESTINATION_HIGH = H.bits  ("Destination[31:24]", 63, 56);
  public static final Field GUEST_REMAP_EN  = GL.bit   ("RemapEn",       0);
  public static final Field GUEST_SUP_IOPF  = GL.bit   ("SupIOPF",       1);
  public static final Field GA_LOG_INTR     = GL.bit   ("GALogIntr",     2);
  public static final Field IS_RUN          = GL.bit   ("IsRun",         6);
  public static final Field GUEST_GUEST_MODE = GL.bit  ("GuestMode",     7);
  public static final Field GUEST_DESTINATION = GL.bits("Destination[23:0]", 31, 8);
  public static final Field GA_TAG          = GL.bits  ("GATag",        63, 32);
  public static final Field GUEST_VECTOR    = GH.bits  ("Vector",        7, 0);
  public static final Field GUEST_APIC      = GH.address("GuestVirtualAPICTableRootPointer", 51, 12);
  public static final Field GUEST_DESTINATION_HIGH = GH.bits("Destination[31:24]", 63, 56);
  public static final Field INDEX           = D.bits   ("Index",        10, 0);
  // spotless:on

  public static final Layout NARROW = N.res0(7, 7).res0(31, 24).seal();
  public static final Layout LOW = L.res0(63, 32).seal();
  public static final Layout HIGH = H.res0(55, 8).seal();
  public static final Layout GUEST_LOW = GL.res0(5, 3).seal();
  public static final Layout GUEST_HIGH = GH.res0(11, 8).res0(55, 52).seal();
  public static final Layout MESSAGE_DATA = D.software(31, 11).seal();

  /// The destination of a wide entry.
  public static final JoinedField WIDE_DESTINATION =
      new JoinedField(
          "Destination",
          List.of(
              new JoinedField.Piece(DESTINATION_LOW, 0, 0),
              new JoinedField.Piece(DESTINATION_HIGH, 1, 24)));

  /// The processor that runs the guest of an entry in guest mode.
  public static final JoinedField GUEST_PROCESSOR =
      new JoinedField(
          "Destination",
          List.of(
              new JoinedField.Piece(GUEST_DESTINATION, 0, 0),
              new JoinedField.Piece(GUEST_DESTINATION_HIGH, 1, 24)));

  private IrteLayout() {}
}
