package dev.doorbell.pci;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The MSI-X capability, one entry of its table, and one quadword of its pending bit array.
///
/// **Source**: PCI Express Base 6.0, 7.7.2.
public final class MsixLayout {
  private static final RegisterMap.Builder M = RegisterMap.named("MSI-X", 0x0c);
  private static final RegisterMap.Builder E = RegisterMap.named("MSI-X Table Entry", 0x10);

  private static final Layout CONTROL_L = Layout.lsb0("Message Control", 2);
  private static final Layout TABLE_L = Layout.lsb0("Table Offset/Table BIR", 4);
  private static final Layout PBA_L = Layout.lsb0("PBA Offset/PBA BIR", 4);
  private static final Layout ADDRESS_L = Layout.lsb0("Message Address", 4);
  private static final Layout UPPER_L = Layout.lsb0("Message Upper Address", 4);
  private static final Layout DATA_L = Layout.lsb0("Message Data", 4);
  private static final Layout VECTOR_L = Layout.lsb0("Vector Control", 4);
  private static final Layout PENDING_L = Layout.lsb0("Pending Bits", 8);

  // spotless:off
  /// The number of entries less one.
  public static final Field TABLE_SIZE       = CONTROL_L.bits("Table Size", 10, 0);
  public static final Field FUNCTION_MASK    = CONTROL_L.bit("Function Mask", 14);
  public static final Field ENABLE           = CONTROL_L.bit("MSI-X Enable", 15);
  public static final Field TABLE_BIR        = TABLE_L.bits("Table BIR", 2, 0);
  public static final Field TABLE_OFFSET     = TABLE_L.address("Table Offset", 31, 3);
  public static final Field PBA_BIR          = PBA_L.bits("PBA BIR", 2, 0);
  public static final Field PBA_OFFSET       = PBA_L.address("PBA Offset", 31, 3);
  public static final Field ADDRESS          = ADDRESS_L.address("Message Address", 31, 2);
  public static final Field UPPER_ADDRESS    = UPPER_L.bits("Message Upper Address", 31, 0);
  public static final Field DATA             = DATA_L.bits("Message Data", 31, 0);
  public static final Field MASK             = VECTOR_L.bit("Mask Bit", 0);
  public static final Field ST_LOWER         = VECTOR_L.bits("ST Lower", 23, 16);
  public static final Field ST_UPPER         = VECTOR_L.bits("ST Upper", 31, 24);
  public static final Field PENDING          = PENDING_L.bits("Pending Bits", 63, 0);

  public static final Register CONTROL       = M.register("Message Control", 0x02, Access.rw(0xc000), CONTROL_L.res0(13, 11).seal());
  public static final Register TABLE         = M.register("Table Offset/Table BIR", 0x04, Access.RO, TABLE_L.seal());
  public static final Register PBA           = M.register("PBA Offset/PBA BIR", 0x08, Access.RO, PBA_L.seal());

  public static final Register MESSAGE_ADDRESS = E.register("Message Address", 0x0, Access.rw(0xffff_fffcL), ADDRESS_L.res0(1, 0).seal());
  public static final Register MESSAGE_UPPER_ADDRESS = E.register("Message Upper Address", 0x4, Access.RW, UPPER_L.seal());
  public static final Register MESSAGE_DATA  = E.register("Message Data", 0x8, Access.RW, DATA_L.seal());
  public static final Register VECTOR_CONTROL = E.register("Vector Control", 0xc, Access.rw(1), VECTOR_L.res0(15, 1).seal(), 1);
  // spotless:on

  public static final RegisterMap MAP = M.seal();
  public static final RegisterMap ENTRY = E.seal();

  /// Vector n is bit n modulo 64 of quadword n / 64.
  public static final Layout PBA_QUADWORD = PENDING_L.seal();

  private MsixLayout() {}

  /// {@return how many entries the table has, 1 to 2048}
  ///
  /// @param control Message Control
  public static int entries(int control) {
    return TABLE_SIZE.getInt(control) + 1;
  }

  /// {@return whether a vector is held back, by its own mask or the function's}
  ///
  /// @param control Message Control
  /// @param vectorControl Vector Control of the vector's entry
  public static boolean isMasked(int control, long vectorControl) {
    return FUNCTION_MASK.isSet(control) || MASK.isSet(vectorControl);
  }
}
