package dev.doorbell.irq;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// A message signalled interrupt of x86 that no interrupt remapping reads (VT-d's compatibility format): address and datum.
///
/// **Source** Intel SDM volume 3, 11.11.1 Message Address Register Format, 11.11.2 Message Data Register Format.
public final class X86MessageLayout {
  /// Address bits 31:20 of every interrupt.
  public static final int WINDOW = 0xfee;

  private static final ValueNames MODES =
      ValueNames.of(0, "fixed", 1, "lowest priority", 2, "SMI", 4, "NMI", 5, "INIT", 7, "ExtINT");
  private static final Layout A = Layout.lsb0("Message Address", 8);
  private static final Layout D = Layout.lsb0("Message Data", 4);

  // spotless:off
  public static final Field FEE           = A.bits("FEEH",             31, 20);
  public static final Field DESTINATION   = A.bits("Destination ID",   19, 12);
  public static final Field REDIRECTION   = A.bit ("RH",                3, ValueNames.of(0, "to the destination", 1, "to one of the destinations"));
  public static final Field MODE          = A.bit ("DM",                2, ValueNames.of(0, "physical", 1, "logical"));
  public static final Field VECTOR        = D.bits("Vector",            7, 0);
  public static final Field DELIVERY_MODE = D.bits("Delivery Mode",    10, 8, MODES);
  public static final Field LEVEL         = D.bit ("Level",            14);
  public static final Field TRIGGER       = D.bit ("Trigger Mode",     15, ValueNames.of(0, "edge", 1, "level"));
  // spotless:on

  public static final Layout ADDRESS = A.ignored(1, 0).ignored(11, 4).res0(63, 32).seal();
  public static final Layout DATA = D.ignored(13, 11).ignored(31, 16).seal();

  private X86MessageLayout() {}
}
