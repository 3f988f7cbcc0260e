package dev.doorbell.hw.pcie;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The registers of the endpoint `doorbell-demo`, in BAR 0: a driver that knows only MMIO makes it interrupt and copy memory.
///
/// Doubleword accesses; the two addresses may be written as quadwords.
public final class DemoLayout {
  /// Experimental vendor id of the PCI Code and ID Assignment, unused by real hardware.
  public static final int VENDOR = 0xfffe;

  public static final int DEVICE = 0xd00d;

  /// What ID reads as: `DOOR` in ASCII, first letter in the low byte.
  public static final long SIGNATURE = 0x524f_4f44L;

  private static final RegisterMap.Builder M = RegisterMap.named("doorbell-demo BAR 0", 0x1000);
  private static final Layout ID_L = Layout.lsb0("ID", 4);
  private static final Layout VECTOR_L = Layout.lsb0("vector", 4);
  private static final Layout OUTCOME_L = Layout.lsb0("FIRED", 4);
  private static final Layout ADDRESS_L = Layout.lsb0("address", 8);
  private static final Layout LENGTH_L = Layout.lsb0("LENGTH", 4);
  private static final Layout COMMAND_L = Layout.lsb0("COPY", 4);
  private static final Layout RESULT_L = Layout.lsb0("COPIED", 4);

  // spotless:off
  public static final Field ID_VALUE     = ID_L.bits("ID", 31, 0);
  public static final Field VECTOR       = VECTOR_L.bits("VECTOR", 11, 0);
  public static final Field OUTCOME      = OUTCOME_L.bits("OUTCOME", 2, 0, ValueNames.of(0, "none", 1, "sent", 2, "lost", 3, "pending", 4, "off"));
  public static final Field ADDRESS      = ADDRESS_L.bits("ADDRESS", 63, 0);
  public static final Field BYTES        = LENGTH_L.bits("BYTES", 15, 0);
  public static final Field START        = COMMAND_L.bit("START", 0);
  public static final Field THEN_RING    = COMMAND_L.bit("THEN_RING", 1);
  public static final Field RING_VECTOR  = COMMAND_L.bits("RING_VECTOR", 27, 16);
  public static final Field COPIED_BYTES = RESULT_L.bits("BYTES", 15, 0);
  public static final Field READ_ERROR   = RESULT_L.bit("READ_ERROR", 16);
  public static final Field WRITE_ERROR  = RESULT_L.bit("WRITE_ERROR", 17);
  public static final Field DONE         = RESULT_L.bit("DONE", 31);

  public static final Register ID        = M.register("ID", 0x00, Access.RO, ID_L.seal(), SIGNATURE);
  /// Vectors that the function's MSI-X or MSI capability has.
  public static final Register VECTORS   = M.register("VECTORS", 0x04, Access.RO, VECTOR_L.res0(31, 12).seal());
  /// Write a vector: it fires.
  public static final Register RING      = M.register("RING", 0x08, Access.RW, VECTOR_L);
  /// What became of the last ring.
  public static final Register FIRED     = M.register("FIRED", 0x0c, Access.RO, OUTCOME_L.res0(31, 3).seal());
  public static final Register SOURCE    = M.register("SOURCE", 0x10, Access.RW, ADDRESS_L.seal());
  public static final Register DESTINATION = M.register("DESTINATION", 0x18, Access.RW, ADDRESS_L);
  /// Bytes to copy, 1 to 65535.
  public static final Register LENGTH    = M.register("LENGTH", 0x20, Access.RW, LENGTH_L.res0(31, 16).seal());
  /// Write START: the copy runs, DMA read then DMA write, and rings when asked to.
  public static final Register COPY      = M.register("COPY", 0x24, Access.RW, COMMAND_L.res0(15, 2).res0(31, 28).seal());
  public static final Register COPIED    = M.register("COPIED", 0x28, Access.RO, RESULT_L.res0(30, 18).seal());
  // spotless:on

  public static final RegisterMap MAP = M.seal();

  private DemoLayout() {}
}
