package dev.doorbell.hw.gicits;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// ITS commands: 32 bytes, four little-endian doublewords. A field has the same place in every command that carries it, but
/// doublewords 1 and 2 have several forms. Source: IHI 0069 H, 5.3.
public final class ItsCommandLayout {
  /// Bytes of a command.
  public static final int BYTES = 32;

  /// Doublewords of a command.
  public static final int WORDS = 4;

  // spotless:off
  public static final int MOVI    = 0x01;
  public static final int INT     = 0x03;
  public static final int CLEAR   = 0x04;
  public static final int SYNC    = 0x05;
  public static final int MAPD    = 0x08;
  public static final int MAPC    = 0x09;
  public static final int MAPTI   = 0x0a;
  public static final int MAPI    = 0x0b;
  public static final int INV     = 0x0c;
  public static final int INVALL  = 0x0d;
  public static final int MOVALL  = 0x0e;
  public static final int DISCARD = 0x0f;
  // spotless:on

  public static final ValueNames NAMES =
      ValueNames.of(
          MOVI, "MOVI", INT, "INT", CLEAR, "CLEAR", SYNC, "SYNC", MAPD, "MAPD", MAPC, "MAPC", MAPTI,
          "MAPTI", MAPI, "MAPI", INV, "INV", INVALL, "INVALL", MOVALL, "MOVALL", DISCARD, "DISCARD",
          0x21, "VMOVI", 0x22, "VMOVP", 0x23, "VSGI", 0x25, "VSYNC", 0x29, "VMAPP", 0x2a, "VMAPTI",
          0x2b, "VMAPI", 0x2d, "VINVALL", 0x2e, "INVDB");

  private static final Layout DW0_L = Layout.lsb0("command DW0", 8);
  private static final Layout EVENT_L = Layout.lsb0("command DW1 (EventID)", 8);
  private static final Layout SIZE_L = Layout.lsb0("MAPD DW1", 8);
  private static final Layout ITT_L = Layout.lsb0("MAPD DW2", 8);
  private static final Layout TARGET_L = Layout.lsb0("command DW2 (ICID, RDbase)", 8);
  private static final Layout TARGET2_L = Layout.lsb0("MOVALL DW3", 8);

  // spotless:off
  public static final Field CODE          = DW0_L.bits   ("command",  7,  0, NAMES);
  public static final Field DEVICE_ID     = DW0_L.bits   ("DeviceID", 63, 32);
  public static final Layout DW0          = DW0_L.res0(31, 8).seal();

  public static final Field EVENT_ID      = EVENT_L.bits ("EventID",  31,  0);
  /// MAPTI alone; RES0 in the other commands.
  public static final Field PINTID        = EVENT_L.bits ("pINTID",   63, 32);
  public static final Layout EVENT        = EVENT_L.seal();

  /// Bits of an EventID, minus one.
  public static final Field SIZE          = SIZE_L.bits  ("Size",      4,  0);
  public static final Layout MAPD_SIZE    = SIZE_L.res0(63, 5).seal();

  public static final Field ITT_ADDRESS   = ITT_L.address("ITT_addr", 51,  8);
  public static final Field MAPD_VALID    = ITT_L.bit    ("V",        63);
  public static final Layout MAPD_ITT     = ITT_L.res0(7, 0).res0(62, 52).seal();

  public static final Field ICID          = TARGET_L.bits("ICID",     15,  0);
  /// Bits 51:16: of a Redistributor's address when GITS_TYPER.PTA is 1, else the processor number starting at bit 16.
  public static final Field RDBASE        = TARGET_L.bits("RDbase",   51, 16);
  public static final Field MAPC_VALID    = TARGET_L.bit ("V",        63);
  public static final Layout TARGET       = TARGET_L.res0(62, 52).seal();

  /// The target that MOVALL moves to.
  public static final Field RDBASE2       = TARGET2_L.bits("RDbase2", 51, 16);
  public static final Layout TARGET2      = TARGET2_L.res0(15, 0).res0(63, 52).seal();
  // spotless:on

  private ItsCommandLayout() {}
}
