package dev.doorbell.pci;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The registers that only a type 1 header (a PCI-PCI bridge, a PCIe port) has.
///
/// **Source**: PCI Express Base 6.0, 7.5.1.3; PCI-to-PCI Bridge 1.2, 3.2.5.
public final class BridgeHeaderLayout {
  /// Memory windows are whole MiBs: base and limit tell address bits from 20 up.
  public static final long MEMORY_UNIT = 1L << 20;

  private static final RegisterMap.Builder M = RegisterMap.named("Type 1 header", 0x40);

  private static final Layout BUS_L = Layout.lsb0("Bus Number", 1);
  private static final Layout IO_L = Layout.lsb0("I/O window", 1);
  private static final Layout SECONDARY_STATUS_L = Layout.lsb0("Secondary Status", 2);
  private static final Layout MEMORY_L = Layout.lsb0("Memory window", 2);
  private static final Layout PREFETCHABLE_L = Layout.lsb0("Prefetchable window", 2);
  private static final Layout UPPER32_L = Layout.lsb0("Upper 32 bits", 4);
  private static final Layout UPPER16_L = Layout.lsb0("Upper 16 bits", 2);
  private static final Layout CONTROL_L = Layout.lsb0("Bridge Control", 2);

  // spotless:off
  public static final Field BUS                = BUS_L.bits("Bus Number", 7, 0);
  public static final Field IO_ADDRESS_TYPE    = IO_L.bits("I/O Addressing Capability", 3, 0, ValueNames.of(0, "16-bit", 1, "32-bit"));
  public static final Field IO_ADDRESS         = IO_L.bits("I/O Address[15:12]", 7, 4);
  public static final Field SECONDARY_66MHZ    = SECONDARY_STATUS_L.bit("66 MHz Capable", 5);
  public static final Field SECONDARY_FAST_BACK_TO_BACK = SECONDARY_STATUS_L.bit("Fast Back-to-Back Transactions Capable", 7);
  public static final Field SECONDARY_MASTER_DATA_PARITY_ERROR = SECONDARY_STATUS_L.bit("Master Data Parity Error", 8);
  public static final Field SECONDARY_DEVSEL   = SECONDARY_STATUS_L.bits("DEVSEL Timing", 10, 9);
  public static final Field SECONDARY_SIGNALED_TARGET_ABORT = SECONDARY_STATUS_L.bit("Signaled Target Abort", 11);
  public static final Field SECONDARY_RECEIVED_TARGET_ABORT = SECONDARY_STATUS_L.bit("Received Target Abort", 12);
  public static final Field SECONDARY_RECEIVED_MASTER_ABORT = SECONDARY_STATUS_L.bit("Received Master Abort", 13);
  public static final Field SECONDARY_RECEIVED_SYSTEM_ERROR = SECONDARY_STATUS_L.bit("Received System Error", 14);
  public static final Field SECONDARY_DETECTED_PARITY_ERROR = SECONDARY_STATUS_L.bit("Detected Parity Error", 15);
  public static final Field MEMORY_ADDRESS     = MEMORY_L.bits("Memory Address[31:20]", 15, 4);
  public static final Field PREFETCHABLE_TYPE  = PREFETCHABLE_L.bits("64-bit Address Capability", 3, 0, ValueNames.of(0, "32-bit", 1, "64-bit"));
  public static final Field PREFETCHABLE_ADDRESS = PREFETCHABLE_L.bits("Prefetchable Memory Address[31:20]", 15, 4);
  public static final Field UPPER32            = UPPER32_L.bits("Address[63:32]", 31, 0);
  public static final Field UPPER16            = UPPER16_L.bits("I/O Address[31:16]", 15, 0);
  public static final Field PARITY_ERROR_RESPONSE = CONTROL_L.bit("Parity Error Response Enable", 0);
  public static final Field SERR_ENABLE        = CONTROL_L.bit("SERR# Enable", 1);
  public static final Field ISA_ENABLE         = CONTROL_L.bit("ISA Enable", 2);
  public static final Field VGA_ENABLE         = CONTROL_L.bit("VGA Enable", 3);
  public static final Field VGA_16_BIT         = CONTROL_L.bit("VGA 16-bit Decode", 4);
  public static final Field MASTER_ABORT_MODE  = CONTROL_L.bit("Master Abort Mode", 5);
  public static final Field SECONDARY_BUS_RESET = CONTROL_L.bit("Secondary Bus Reset", 6);
  public static final Field FAST_BACK_TO_BACK  = CONTROL_L.bit("Fast Back-to-Back Transactions Enable", 7);
  public static final Field PRIMARY_DISCARD    = CONTROL_L.bit("Primary Discard Timer", 8);
  public static final Field SECONDARY_DISCARD  = CONTROL_L.bit("Secondary Discard Timer", 9);
  public static final Field DISCARD_STATUS     = CONTROL_L.bit("Discard Timer Status", 10);
  public static final Field DISCARD_SERR       = CONTROL_L.bit("Discard Timer SERR# Enable", 11);

  public static final Register BAR             = M.array("Base Address", 0x10, 2, Access.RW, ConfigHeaderLayout.BAR.layout());
  public static final Register PRIMARY_BUS     = M.register("Primary Bus Number", 0x18, Access.RW, BUS_L.seal());
  public static final Register SECONDARY_BUS   = M.register("Secondary Bus Number", 0x19, Access.RW, BUS_L);
  public static final Register SUBORDINATE_BUS = M.register("Subordinate Bus Number", 0x1a, Access.RW, BUS_L);
  public static final Register SECONDARY_LATENCY = M.register("Secondary Latency Timer", 0x1b, Access.RO, ConfigHeaderLayout.LATENCY_TIMER.layout());
  public static final Register IO_BASE         = M.register("I/O Base", 0x1c, Access.rw(0xf0), IO_L.seal());
  public static final Register IO_LIMIT        = M.register("I/O Limit", 0x1d, Access.rw(0xf0), IO_L);
  public static final Register SECONDARY_STATUS = M.register("Secondary Status", 0x1e, Access.RO.andW1c(0xf900), SECONDARY_STATUS_L.res0(4, 0).res0(6, 6).seal());
  public static final Register MEMORY_BASE     = M.register("Memory Base", 0x20, Access.rw(0xfff0), MEMORY_L.res0(3, 0).seal());
  public static final Register MEMORY_LIMIT    = M.register("Memory Limit", 0x22, Access.rw(0xfff0), MEMORY_L);
  public static final Register PREFETCHABLE_BASE = M.register("Prefetchable Memory Base", 0x24, Access.rw(0xfff0), PREFETCHABLE_L.seal());
  public static final Register PREFETCHABLE_LIMIT = M.register("Prefetchable Memory Limit", 0x26, Access.rw(0xfff0), PREFETCHABLE_L);
  public static final Register PREFETCHABLE_BASE_UPPER = M.register("Prefetchable Base Upper 32 Bits", 0x28, Access.RW, UPPER32_L.seal());
  public static final Register PREFETCHABLE_LIMIT_UPPER = M.register("Prefetchable Limit Upper 32 Bits", 0x2c, Access.RW, UPPER32_L);
  public static final Register IO_BASE_UPPER   = M.register("I/O Base Upper 16 Bits", 0x30, Access.RW, UPPER16_L.seal());
  public static final Register IO_LIMIT_UPPER  = M.register("I/O Limit Upper 16 Bits", 0x32, Access.RW, UPPER16_L);
  public static final Register ROM             = M.register("Expansion ROM Base Address", 0x38, Access.rw(0xffff_f801L), ConfigHeaderLayout.ROM.layout());
  public static final Register BRIDGE_CONTROL  = M.register("Bridge Control", 0x3e, Access.rw(0x005f), CONTROL_L.res0(15, 12).seal());
  // spotless:on

  public static final RegisterMap MAP = M.seal();

  private BridgeHeaderLayout() {}
}
