package dev.doorbell.hw.ioapic;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.JoinedField;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// A redirection table entry in both formats, and the message that it makes. The I/O APIC itself knows one way from an entry to a message; what
/// its bits mean is the business of whoever takes the message.
///
/// **Source** Intel 82093AA 3.2.4 (I/O Redirection Table Registers); ICH9 13.5.7, 5.9.3 (messages); VT-d 4.1, 5.1.5.1 (remappable format).
public final class IoapicLayout {
  /// Address bits 31:20 of every interrupt.
  public static final int WINDOW = 0xfee;

  /// Bytes of an entry.
  public static final int BYTES = 8;

  /// Delivery mode: to the one of the destination that has the least urgent work.
  public static final int LOWEST_PRIORITY = 1;

  private static final ValueNames MODES =
      ValueNames.of(0, "fixed", 1, "lowest priority", 2, "SMI", 4, "NMI", 5, "INIT", 7, "ExtINT");
  private static final ValueNames TRIGGERS = ValueNames.of(0, "edge", 1, "level");
  private static final ValueNames POLARITIES = ValueNames.of(0, "active high", 1, "active low");
  private static final Layout C = Layout.lsb0("RTE", BYTES);
  private static final Layout R = Layout.lsb0("remappable RTE", BYTES);
  private static final Layout W = Layout.lsb0("RTE as a message", BYTES);
  private static final Layout A = Layout.lsb0("I/O APIC message address", 8);
  private static final Layout D = Layout.lsb0("I/O APIC message data", 4);

  // spotless:off
  public static final Field VECTOR        = C.bits("INTVEC",     7,  0);
  public static final Field DELIVERY_MODE = C.bits("DELMOD",    10,  8, MODES);
  public static final Field LOGICAL       = C.bit ("DESTMOD",   11, ValueNames.of(0, "physical", 1, "logical"));
  public static final Field STATUS        = C.bit ("DELIVS",    12, ValueNames.of(0, "idle", 1, "send pending"));
  public static final Field POLARITY      = C.bit ("INTPOL",    13, POLARITIES);
  public static final Field REMOTE_IRR    = C.bit ("Remote IRR", 14);
  public static final Field TRIGGER       = C.bit ("Trigger Mode", 15, TRIGGERS);
  public static final Field MASK          = C.bit ("Interrupt Mask", 16);
  public static final Field EXTENDED_ID   = C.bits("EDID",      55, 48);
  public static final Field DESTINATION   = C.bits("DEST",      63, 56);
  public static final Field IR_VECTOR     = R.bits("VECTOR",     7,  0);
  public static final Field IR_ZERO       = R.bits("zero",      10,  8);
  public static final Field INDEX_HIGH    = R.bit ("Interrupt Index[15]", 11);
  public static final Field IR_STATUS     = R.bit ("Delivery Status", 12);
  public static final Field IR_POLARITY   = R.bit ("Polarity",  13, POLARITIES);
  public static final Field IR_REMOTE     = R.bit ("Remote IRR", 14);
  public static final Field IR_TRIGGER    = R.bit ("Trigger Mode", 15, TRIGGERS);
  public static final Field IR_MASK       = R.bit ("Mask",      16);
  public static final Field FORMAT        = R.bit ("Interrupt Format", 48, ValueNames.of(0, "compatibility", 1, "remappable"));
  public static final Field INDEX_LOW     = R.bits("Interrupt Index[14:0]", 63, 49);
  public static final Field DATUM         = W.bits("datum",     10,  0);
  public static final Field ADDRESS_2     = W.bit ("address bit 2", 11);
  public static final Field MADE_LEVEL    = W.bit ("trigger",   15, TRIGGERS);
  public static final Field ADDRESS_19_4  = W.bits("address bits 19:4", 63, 48);
  public static final Field FEE           = A.bits("FEEH",      31, 20);
  public static final Field UPPER         = A.bits("RTE[63:48]", 19, 4);
  public static final Field REDIRECTION   = A.bit ("RH",         3);
  public static final Field MODE          = A.bit ("RTE[11]",    2);
  public static final Field DATA_LOW      = D.bits("RTE[10:0]", 10,  0);
  public static final Field DATA_LEVEL    = D.bit ("Level",     14);
  public static final Field DATA_TRIGGER  = D.bit ("Trigger Mode", 15, TRIGGERS);
  // spotless:on

  public static final Layout ENTRY = C.res0(47, 17).seal();
  public static final Layout REMAPPABLE = R.res0(47, 17).seal();
  public static final Layout MADE = W.ignored(14, 12).ignored(47, 16).seal();
  public static final Layout MESSAGE_ADDRESS = A.res0(1, 0).res0(63, 32).seal();
  public static final Layout MESSAGE_DATA = D.res0(13, 11).res0(31, 16).seal();

  /// Interrupt_Index of a remappable entry.
  public static final JoinedField INDEX =
      new JoinedField(
          "Interrupt Index",
          List.of(
              new JoinedField.Piece(INDEX_LOW, 0, 0), new JoinedField.Piece(INDEX_HIGH, 0, 15)));

  private IoapicLayout() {}

  /// {@return the address that an entry's message is written to}
  public static long address(long entry) {
    return FEE.place(WINDOW)
        | UPPER.place(ADDRESS_19_4.get(entry))
        | REDIRECTION.place(DELIVERY_MODE.get(entry) == LOWEST_PRIORITY ? 1 : 0)
        | MODE.place(ADDRESS_2.get(entry));
  }

  /// {@return the datum of its message}
  public static int data(long entry) {
    return (int)
        (DATA_LOW.place(DATUM.get(entry))
            | DATA_LEVEL.mask()
            | DATA_TRIGGER.place(MADE_LEVEL.get(entry)));
  }

  /// {@return an entry whose message has an address and a datum, edge-triggered, active high and masked}
  ///
  /// In remappable format the datum is not looked at; the vector, by which an end of interrupt is matched, is `number` then.
  public static long entry(long address, int data, int number) {
    long entry =
        ADDRESS_19_4.place(UPPER.get(address)) | ADDRESS_2.place(MODE.get(address)) | MASK.mask();
    return FORMAT.isSet(entry)
        ? entry | IR_VECTOR.place(number & IR_VECTOR.max())
        : entry | DATUM.place(DATA_LOW.get(data));
  }
}
