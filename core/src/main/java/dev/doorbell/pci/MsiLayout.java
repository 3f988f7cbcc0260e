package dev.doorbell.pci;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The MSI capability in its four shapes, by 64-bit address and per-vector masking.
///
/// **Source**: PCI Express Base 6.0, 7.7.1.
public final class MsiLayout {
  private static final RegisterMap.Builder M32 = RegisterMap.named("MSI, 32-bit", 0x18);
  private static final RegisterMap.Builder M64 = RegisterMap.named("MSI, 64-bit", 0x18);
  private static final ValueNames COUNTS =
      ValueNames.of(0, "1", 1, "2", 2, "4", 3, "8", 4, "16", 5, "32");

  private static final Layout CONTROL_L = Layout.lsb0("Message Control", 2);
  private static final Layout ADDRESS_L = Layout.lsb0("Message Address", 4);
  private static final Layout UPPER_L = Layout.lsb0("Message Upper Address", 4);
  private static final Layout DATA_L = Layout.lsb0("Message Data", 2);
  private static final Layout EXTENDED_DATA_L = Layout.lsb0("Extended Message Data", 2);
  private static final Layout VECTORS_L = Layout.lsb0("Vectors", 4);

  // spotless:off
  public static final Field ENABLE             = CONTROL_L.bit("MSI Enable", 0);
  /// Log2 of the vectors asked for, 0 to 5.
  public static final Field MULTIPLE_CAPABLE   = CONTROL_L.bits("Multiple Message Capable", 3, 1, COUNTS);
  /// Log2 of the vectors given, 0 to 5.
  public static final Field MULTIPLE_ENABLE    = CONTROL_L.bits("Multiple Message Enable", 6, 4, COUNTS);
  public static final Field ADDRESS64          = CONTROL_L.bit("64-bit Address Capable", 7);
  public static final Field MASKABLE           = CONTROL_L.bit("Per-Vector Masking Capable", 8);
  public static final Field EXTENDED_CAPABLE   = CONTROL_L.bit("Extended Message Data Capable", 9);
  public static final Field EXTENDED_ENABLE    = CONTROL_L.bit("Extended Message Data Enable", 10);
  public static final Field ADDRESS            = ADDRESS_L.address("Message Address", 31, 2);
  public static final Field UPPER_ADDRESS      = UPPER_L.bits("Message Upper Address", 31, 0);
  public static final Field DATA               = DATA_L.bits("Message Data", 15, 0);
  public static final Field EXTENDED_DATA      = EXTENDED_DATA_L.bits("Extended Message Data", 15, 0);
  /// One bit a vector.
  public static final Field VECTORS            = VECTORS_L.bits("Vectors", 31, 0);

  public static final Register CONTROL         = M32.register("Message Control", 0x02, Access.rw(0x0071), CONTROL_L.res0(15, 11).seal());
  public static final Register MESSAGE_ADDRESS = M32.register("Message Address", 0x04, Access.rw(0xffff_fffcL), ADDRESS_L.res0(1, 0).seal());
  public static final Register DATA_32         = M32.register("Message Data", 0x08, Access.RW, DATA_L.seal());
  public static final Register EXTENDED_DATA_32 = M32.register("Extended Message Data", 0x0a, Access.RW, EXTENDED_DATA_L.seal());
  public static final Register MASK_32         = M32.register("Mask Bits", 0x0c, Access.RW, VECTORS_L.seal());
  public static final Register PENDING_32      = M32.register("Pending Bits", 0x10, Access.RO, VECTORS_L);

  public static final Register CONTROL_64      = M64.register("Message Control", 0x02, CONTROL.access(), CONTROL_L);
  public static final Register MESSAGE_ADDRESS_64 = M64.register("Message Address", 0x04, MESSAGE_ADDRESS.access(), ADDRESS_L);
  public static final Register UPPER           = M64.register("Message Upper Address", 0x08, Access.RW, UPPER_L.seal());
  public static final Register DATA_64         = M64.register("Message Data", 0x0c, Access.RW, DATA_L);
  public static final Register EXTENDED_DATA_64 = M64.register("Extended Message Data", 0x0e, Access.RW, EXTENDED_DATA_L);
  public static final Register MASK_64         = M64.register("Mask Bits", 0x10, Access.RW, VECTORS_L);
  public static final Register PENDING_64      = M64.register("Pending Bits", 0x14, Access.RO, VECTORS_L);
  // spotless:on

  public static final RegisterMap MAP_32 = M32.seal();
  public static final RegisterMap MAP_64 = M64.seal();

  private MsiLayout() {}
}
