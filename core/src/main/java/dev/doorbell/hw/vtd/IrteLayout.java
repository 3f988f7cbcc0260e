package dev.doorbell.hw.vtd;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.JoinedField;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// Interrupt remapping table entry: 16 bytes, two little-endian quadwords; and the message that leads to one.
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 5.1.2.2 Interrupt Requests in Remappable Format, 9.10
/// Interrupt Remapping Table Entry for Remapped Interrupts, 9.11 Interrupt Remapping Table Entry for Posted Interrupts.
public final class IrteLayout {
  /// Bytes of an entry.
  public static final int BYTES = 16;

  /// SVT: nobody is looked at.
  public static final int SVT_NONE = 0b00;

  /// SVT: the requester id must be SID, but for the bits that SQ leaves out.
  public static final int SVT_SID = 0b01;

  /// SVT: the requester's bus must lie between two.
  public static final int SVT_BUS = 0b10;

  private static final ValueNames SVTS =
      ValueNames.of(0b00, "not verified", 0b01, "SID and SQ", 0b10, "bus range", 0b11, "reserved");
  private static final ValueNames SQS =
      ValueNames.of(
          0b00, "all bits",
          0b01, "all but function bit 2",
          0b10, "all but function bits 2:1",
          0b11, "all but the function");
  private static final ValueNames MODES =
      ValueNames.of(0, "fixed", 1, "lowest priority", 2, "SMI", 4, "NMI", 5, "INIT", 7, "ExtINT");
  private static final Layout L = Layout.lsb0("IRTE[0]", 8);
  private static final Layout H = Layout.lsb0("IRTE[1]", 8);
  private static final Layout PL = Layout.lsb0("posted IRTE[0]", 8);
  private static final Layout PH = Layout.lsb0("posted IRTE[1]", 8);
  private static final Layout X = Layout.lsb0("IRTE[0] of xAPIC", 8);
  private static final Layout A = Layout.lsb0("remappable address", 8);
  private static final Layout D = Layout.lsb0("remappable data", 4);

  // spotless:off
  public static final Field P            = L.bit   ("P",         0);
  public static final Field FPD          = L.bit   ("FPD",       1);
  public static final Field DM           = L.bit   ("DM",        2, ValueNames.of(0, "physical", 1, "logical"));
  public static final Field RH           = L.bit   ("RH",        3);
  public static final Field TM           = L.bit   ("TM",        4);
  public static final Field DLM          = L.bits  ("DLM",       7, 5, MODES);
  public static final Field AVAIL        = L.bits  ("AVAIL",    11, 8);
  public static final Field IM           = L.bit   ("IM",       15, ValueNames.of(0, "remapped", 1, "posted"));
  public static final Field V            = L.bits  ("V",        23, 16);
  public static final Field DST          = L.bits  ("DST",      63, 32);
  public static final Field SID          = H.bits  ("SID",      15, 0);
  public static final Field SQ           = H.bits  ("SQ",       17, 16, SQS);
  public static final Field SVT          = H.bits  ("SVT",      19, 18, SVTS);
  public static final Field POSTED_P     = PL.bit  ("P",         0);
  public static final Field POSTED_FPD   = PL.bit  ("FPD",       1);
  public static final Field POSTED_AVAIL = PL.bits ("AVAIL",    11, 8);
  public static final Field URG          = PL.bit  ("URG",      14);
  public static final Field POSTED_IM    = PL.bit  ("IM",       15);
  public static final Field POSTED_V     = PL.bits ("V",        23, 16);
  public static final Field PDA_L        = PL.bits ("PDA-L",    63, 38);
  public static final Field POSTED_SID   = PH.bits ("SID",      15, 0);
  public static final Field POSTED_SQ    = PH.bits ("SQ",       17, 16);
  public static final Field POSTED_SVT   = PH.bits ("SVT",      19, 18);
  public static final Field PDA_H        = PH.bits ("PDA-H",    63, 32);
  public static final Field FEE          = A.bits  ("FEEH",     31, 20);
  public static final Field HANDLE_LOW   = A.bits  ("HANDLE[14:0]", 19, 5);
  public static final Field FORMAT       = A.bit   ("Format",    4, ValueNames.of(0, "compatibility", 1, "remappable"));
  public static final Field SHV          = A.bit   ("SHV",       3);
  public static final Field HANDLE_HIGH  = A.bit   ("HANDLE[15]", 2);
  public static final Field SUBHANDLE    = D.bits  ("SUBHANDLE", 15, 0);
  /// DST in xAPIC mode.
  public static final Field XAPIC_DST    = X.bits  ("DST_XAPIC",  47, 40);
  // spotless:on

  public static final Layout LOW = L.res0(14, 12).res0(31, 24).seal();
  public static final Layout XAPIC = X.ignored(39, 0).res0(63, 48).seal();
  public static final Layout HIGH = H.res0(63, 20).seal();
  public static final Layout POSTED_LOW = PL.res0(7, 2).res0(13, 12).res0(37, 24).seal();
  public static final Layout POSTED_HIGH = PH.res0(31, 20).seal();
  public static final Layout MESSAGE_ADDRESS = A.ignored(1, 0).res0(63, 32).seal();
  public static final Layout MESSAGE_DATA = D.res0(31, 16).seal();

  /// The handle of a message.
  public static final JoinedField HANDLE =
      new JoinedField(
          "HANDLE",
          List.of(
              new JoinedField.Piece(HANDLE_LOW, 0, 0), new JoinedField.Piece(HANDLE_HIGH, 0, 15)));

  /// Address of a posted interrupt descriptor, of 64 bytes.
  public static final JoinedField DESCRIPTOR =
      new JoinedField(
          "PDA", List.of(new JoinedField.Piece(PDA_L, 0, 6), new JoinedField.Piece(PDA_H, 1, 32)));

  private static final int PDA_L_BIT = 6;
  private static final int PDA_H_BIT = 32;

  /// {@return the address in a posted entry, as {@link #DESCRIPTOR} has it; allocates nothing}
  static long descriptor(long low, long high) {
    return PDA_L.get(low) << PDA_L_BIT | PDA_H.get(high) << PDA_H_BIT;
  }

  /// DST in xAPIC mode: the APIC id lies in bits 15:8 of the 32.
  public static final int XAPIC_SHIFT = 8;

  private IrteLayout() {}
}
