package dev.doorbell.qemu;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// Interrupt registers of the Intel 82574 (8086:10d3, QEMU's `e1000e`), BAR 0.
///
/// **Source**: Intel 82574 GbE Controller Family datasheet 3.4, 10.2.4 (interrupt registers).
public final class E1000eLayout {
  public static final int VENDOR = 0x8086;
  public static final int DEVICE = 0x10d3;

  private static final RegisterMap.Builder M = RegisterMap.named("82574 BAR 0", 0x20000);
  private static final Layout CAUSE_L = Layout.lsb0("interrupt causes", 4);
  private static final Layout IVAR_L = Layout.lsb0("IVAR", 4);

  // spotless:off
  public static final Field TXDW      = CAUSE_L.bit("TXDW", 0);
  public static final Field TXQE      = CAUSE_L.bit("TXQE", 1);
  public static final Field LSC       = CAUSE_L.bit("LSC", 2);
  public static final Field RXDMT0    = CAUSE_L.bit("RXDMT0", 4);
  public static final Field RXO       = CAUSE_L.bit("RXO", 6);
  public static final Field RXT0      = CAUSE_L.bit("RXT0", 7);
  public static final Field MDAC      = CAUSE_L.bit("MDAC", 9);
  public static final Field TXD_LOW   = CAUSE_L.bit("TXD_LOW", 15);
  public static final Field SRPD      = CAUSE_L.bit("SRPD", 16);
  public static final Field ACK       = CAUSE_L.bit("ACK", 17);
  public static final Field MNG       = CAUSE_L.bit("MNG", 18);
  /// RxQ0, RxQ1, TxQ0, TxQ1 and Other, one bit each.
  public static final Field QUEUES    = CAUSE_L.bits("RxQ0 to Other", 24, 20);
  public static final Field INT_ASSERTED = CAUSE_L.bit("INT_ASSERTED", 31);

  public static final Field RXQ0      = vector("INT_Alloc[0] RxQ0", 3);
  public static final Field RXQ1      = vector("INT_Alloc[1] RxQ1", 7);
  public static final Field TXQ0      = vector("INT_Alloc[2] TxQ0", 11);
  public static final Field TXQ1      = vector("INT_Alloc[3] TxQ1", 15);
  public static final Field OTHER     = vector("INT_Alloc[4] Other", 19);
  public static final Field WRITE_BACK = IVAR_L.bit("Interrupt on all WB", 31);

  public static final Register ICR = M.register("ICR", 0xc0, Access.RO.andW1c(0xffff_ffffL), CAUSE_L.res0(3, 3).res0(5, 5).res0(8, 8).res0(14, 10).res0(19, 19).res0(30, 25).seal());
  public static final Register ICS = M.register("ICS", 0xc8, Access.WO, CAUSE_L);
  public static final Register IMS = M.register("IMS", 0xd0, Access.RW, CAUSE_L);
  public static final Register IMC = M.register("IMC", 0xd8, Access.WO, CAUSE_L);
  public static final Register IVAR = M.register("IVAR", 0xe4, Access.RW, IVAR_L.res0(30, 20).seal());
  // spotless:on

  public static final RegisterMap MAP = M.seal();

  /// The number of the MSI-X vector (2:0) and the valid bit above it, as one field.
  private static final int VALID = 8;

  private E1000eLayout() {}

  private static Field vector(String name, int msb) {
    return IVAR_L.bits(name, msb, msb - 3, ValueNames.of(0, "not valid"));
  }

  /// {@return the field's content that stands for a vector}
  ///
  /// @param vector 0 to 4
  static long valid(int vector) {
    return VALID | vector;
  }
}
