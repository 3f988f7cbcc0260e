package dev.doorbell.pci;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The first 64 bytes of configuration space, as far as type 0 and type 1 headers share them, and those of a type 0 header.
///
/// **Source**: PCI Express Base 6.0, 7.5.1.1 (common registers), 7.5.1.2 (type 0).
public final class ConfigHeaderLayout {
  private static final RegisterMap.Builder M = RegisterMap.named("Type 0 header", 0x40);

  private static final Layout VENDOR_L = Layout.lsb0("Vendor ID", 2);
  private static final Layout DEVICE_L = Layout.lsb0("Device ID", 2);
  private static final Layout COMMAND_L = Layout.lsb0("Command", 2);
  private static final Layout STATUS_L = Layout.lsb0("Status", 2);
  private static final Layout REVISION_L = Layout.lsb0("Revision ID", 1);
  private static final Layout CLASS_LOW_L = Layout.lsb0("Programming Interface", 1);
  private static final Layout CLASS_HIGH_L = Layout.lsb0("Sub-Class and Base Class", 2);
  private static final Layout BYTE_L = Layout.lsb0("byte", 1);
  private static final Layout HEADER_TYPE_L = Layout.lsb0("Header Type", 1);
  private static final Layout BIST_L = Layout.lsb0("BIST", 1);
  private static final Layout MEMORY_BAR_L = Layout.lsb0("Memory Base Address", 4);
  private static final Layout IO_BAR_L = Layout.lsb0("I/O Base Address", 4);
  private static final Layout WORD_L = Layout.lsb0("dword", 4);
  private static final Layout HALF_L = Layout.lsb0("halfword", 2);
  private static final Layout ROM_L = Layout.lsb0("Expansion ROM Base Address", 4);
  private static final Layout CAP_POINTER_L = Layout.lsb0("Capabilities Pointer", 1);

  // spotless:off
  public static final Field VENDOR_ID          = VENDOR_L.bits("Vendor ID", 15, 0);
  public static final Field DEVICE_ID          = DEVICE_L.bits("Device ID", 15, 0);

  public static final Field IO_SPACE_ENABLE    = COMMAND_L.bit("I/O Space Enable", 0);
  public static final Field MEMORY_SPACE_ENABLE = COMMAND_L.bit("Memory Space Enable", 1);
  public static final Field BUS_MASTER_ENABLE  = COMMAND_L.bit("Bus Master Enable", 2);
  public static final Field SPECIAL_CYCLE_ENABLE = COMMAND_L.bit("Special Cycle Enable", 3);
  public static final Field MEMORY_WRITE_AND_INVALIDATE = COMMAND_L.bit("Memory Write and Invalidate", 4);
  public static final Field VGA_PALETTE_SNOOP  = COMMAND_L.bit("VGA Palette Snoop", 5);
  public static final Field PARITY_ERROR_RESPONSE = COMMAND_L.bit("Parity Error Response", 6);
  public static final Field IDSEL_STEPPING     = COMMAND_L.bit("IDSEL Stepping/Wait Cycle Control", 7);
  public static final Field SERR_ENABLE        = COMMAND_L.bit("SERR# Enable", 8);
  public static final Field FAST_BACK_TO_BACK_ENABLE = COMMAND_L.bit("Fast Back-to-Back Transactions Enable", 9);
  public static final Field INTERRUPT_DISABLE  = COMMAND_L.bit("Interrupt Disable", 10);

  public static final Field IMMEDIATE_READINESS = STATUS_L.bit("Immediate Readiness", 0);
  public static final Field INTERRUPT_STATUS   = STATUS_L.bit("Interrupt Status", 3);
  public static final Field CAPABILITIES_LIST  = STATUS_L.bit("Capabilities List", 4);
  public static final Field MHZ66_CAPABLE      = STATUS_L.bit("66 MHz Capable", 5);
  public static final Field FAST_BACK_TO_BACK_CAPABLE = STATUS_L.bit("Fast Back-to-Back Transactions Capable", 7);
  public static final Field MASTER_DATA_PARITY_ERROR = STATUS_L.bit("Master Data Parity Error", 8);
  public static final Field DEVSEL_TIMING      = STATUS_L.bits("DEVSEL Timing", 10, 9);
  public static final Field SIGNALED_TARGET_ABORT = STATUS_L.bit("Signaled Target Abort", 11);
  public static final Field RECEIVED_TARGET_ABORT = STATUS_L.bit("Received Target Abort", 12);
  public static final Field RECEIVED_MASTER_ABORT = STATUS_L.bit("Received Master Abort", 13);
  public static final Field SIGNALED_SYSTEM_ERROR = STATUS_L.bit("Signaled System Error", 14);
  public static final Field DETECTED_PARITY_ERROR = STATUS_L.bit("Detected Parity Error", 15);

  public static final Field REVISION_ID        = REVISION_L.bits("Revision ID", 7, 0);
  public static final Field PROGRAMMING_INTERFACE = CLASS_LOW_L.bits("Programming Interface", 7, 0);
  public static final Field SUB_CLASS          = CLASS_HIGH_L.bits("Sub-Class Code", 7, 0);
  public static final Field BASE_CLASS         = CLASS_HIGH_L.bits("Base Class Code", 15, 8);
  public static final Field BYTE               = BYTE_L.bits("value", 7, 0);
  public static final Field HEADER_LAYOUT      = HEADER_TYPE_L.bits("Header Layout", 6, 0,
      ValueNames.of(0, "Type 0", 1, "Type 1", 2, "CardBus bridge"));
  public static final Field MULTI_FUNCTION     = HEADER_TYPE_L.bit("Multi-Function Device", 7);
  public static final Field BIST_COMPLETION    = BIST_L.bits("Completion Code", 3, 0);
  public static final Field BIST_START         = BIST_L.bit("Start BIST", 6);
  public static final Field BIST_CAPABLE       = BIST_L.bit("BIST Capable", 7);

  public static final Field BAR_IO             = MEMORY_BAR_L.bit("Memory/IO Space Indicator", 0, ValueNames.of(0, "memory", 1, "I/O"));
  public static final Field BAR_TYPE           = MEMORY_BAR_L.bits("Type", 2, 1, ValueNames.of(0, "32-bit", 1, "below 1 MiB", 2, "64-bit"));
  public static final Field BAR_PREFETCHABLE   = MEMORY_BAR_L.bit("Prefetchable", 3);
  public static final Field BAR_MEMORY_BASE    = MEMORY_BAR_L.address("Base Address", 31, 4);
  public static final Field IO_BAR_INDICATOR   = IO_BAR_L.bit("Memory/IO Space Indicator", 0);
  public static final Field IO_BAR_BASE        = IO_BAR_L.address("Base Address", 31, 2);
  public static final Field DWORD              = WORD_L.bits("value", 31, 0);
  public static final Field HALFWORD           = HALF_L.bits("value", 15, 0);
  public static final Field ROM_ENABLE         = ROM_L.bit("Expansion ROM Enable", 0);
  public static final Field ROM_VALIDATION_STATUS = ROM_L.bits("Validation Status", 3, 1);
  public static final Field ROM_VALIDATION_DETAILS = ROM_L.bits("Validation Details", 7, 4);
  public static final Field ROM_BASE           = ROM_L.address("Expansion ROM Base Address", 31, 11);
  public static final Field CAPABILITY_POINTER = CAP_POINTER_L.address("Capabilities Pointer", 7, 2);

  public static final Register VENDOR      = M.register("Vendor ID", 0x00, Access.RO, VENDOR_L.seal());
  public static final Register DEVICE      = M.register("Device ID", 0x02, Access.RO, DEVICE_L.seal());
  public static final Register COMMAND     = M.register("Command", 0x04, Access.rw(0x0547), COMMAND_L.res0(15, 11).seal());
  public static final Register STATUS      = M.register("Status", 0x06, Access.RO.andW1c(0xf900), STATUS_L.res0(2, 1).res0(6, 6).seal());
  public static final Register REVISION    = M.register("Revision ID", 0x08, Access.RO, REVISION_L.seal());
  public static final Register CLASS_LOW   = M.register("Programming Interface", 0x09, Access.RO, CLASS_LOW_L.seal());
  public static final Register CLASS_HIGH  = M.register("Class Code", 0x0a, Access.RO, CLASS_HIGH_L.seal());
  public static final Register CACHE_LINE_SIZE = M.register("Cache Line Size", 0x0c, Access.RW, BYTE_L.seal());
  public static final Register LATENCY_TIMER = M.register("Latency Timer", 0x0d, Access.RO, BYTE_L);
  public static final Register HEADER_TYPE = M.register("Header Type", 0x0e, Access.RO, HEADER_TYPE_L.seal());
  public static final Register BIST        = M.register("BIST", 0x0f, Access.RO, BIST_L.res0(5, 4).seal());
  /// Six BARs; a 64-bit one takes two. As memory BARs; {@link #IO_BAR_LAYOUT} reads one whose bit 0 is set.
  public static final Register BAR         = M.array("Base Address", 0x10, 6, Access.RW, MEMORY_BAR_L.seal());
  public static final Register CARDBUS_CIS = M.register("CardBus CIS Pointer", 0x28, Access.RO, WORD_L.seal());
  public static final Register SUBSYSTEM_VENDOR = M.register("Subsystem Vendor ID", 0x2c, Access.RO, HALF_L.seal());
  public static final Register SUBSYSTEM   = M.register("Subsystem ID", 0x2e, Access.RO, HALF_L);
  public static final Register ROM         = M.register("Expansion ROM Base Address", 0x30, Access.rw(0xffff_f801L), ROM_L.res0(10, 8).seal());
  public static final Register CAP_POINTER = M.register("Capabilities Pointer", 0x34, Access.RO, CAP_POINTER_L.res0(1, 0).seal());
  public static final Register INTERRUPT_LINE = M.register("Interrupt Line", 0x3c, Access.RW, BYTE_L);
  public static final Register INTERRUPT_PIN = M.register("Interrupt Pin", 0x3d, Access.RO, BYTE_L);
  public static final Register MIN_GNT     = M.register("Min_Gnt", 0x3e, Access.RO, BYTE_L);
  public static final Register MAX_LAT     = M.register("Max_Lat", 0x3f, Access.RO, BYTE_L);
  // spotless:on

  public static final Layout IO_BAR_LAYOUT = IO_BAR_L.res0(1, 1).seal();
  public static final RegisterMap MAP = M.seal();

  private ConfigHeaderLayout() {}
}
