package dev.doorbell.pci;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The Single Root I/O Virtualization extended capability of a PF.
///
/// **Source**: PCI Express Base 6.0, 9.3.3.
public final class SriovLayout {
  private static final RegisterMap.Builder M = RegisterMap.named("SR-IOV", 0x40);

  private static final Layout CAPABILITIES_L = Layout.lsb0("SR-IOV Capabilities", 4);
  private static final Layout CONTROL_L = Layout.lsb0("SR-IOV Control", 2);
  private static final Layout STATUS_L = Layout.lsb0("SR-IOV Status", 2);
  private static final Layout COUNT_L = Layout.lsb0("VF count", 2);
  private static final Layout LINK_L = Layout.lsb0("Function Dependency Link", 1);
  private static final Layout SIZES_L = Layout.lsb0("Page Sizes", 4);
  private static final Layout MIGRATION_L = Layout.lsb0("VF Migration State Array Offset", 4);

  // spotless:off
  public static final Field MIGRATION_CAPABLE = CAPABILITIES_L.bit("VF Migration Capable", 0);
  public static final Field ARI_PRESERVED    = CAPABILITIES_L.bit("ARI Capable Hierarchy Preserved", 1);
  public static final Field TAG10_SUPPORTED  = CAPABILITIES_L.bit("VF 10-Bit Tag Requester Supported", 2);
  public static final Field TAG14_SUPPORTED  = CAPABILITIES_L.bit("VF 14-Bit Tag Requester Supported", 3);
  public static final Field MIGRATION_MESSAGE = CAPABILITIES_L.bits("VF Migration Interrupt Message Number", 31, 21);
  public static final Field VF_ENABLE        = CONTROL_L.bit("VF Enable", 0);
  public static final Field MIGRATION_ENABLE = CONTROL_L.bit("VF Migration Enable", 1);
  public static final Field MIGRATION_INTERRUPT = CONTROL_L.bit("VF Migration Interrupt Enable", 2);
  public static final Field VF_MSE           = CONTROL_L.bit("VF MSE", 3);
  public static final Field ARI_HIERARCHY    = CONTROL_L.bit("ARI Capable Hierarchy", 4);
  public static final Field TAG10_ENABLE     = CONTROL_L.bit("VF 10-Bit Tag Requester Enable", 5);
  public static final Field TAG14_ENABLE     = CONTROL_L.bit("VF 14-Bit Tag Requester Enable", 6);
  public static final Field MIGRATION_STATUS = STATUS_L.bit("VF Migration Status", 0);
  public static final Field VFS              = COUNT_L.bits("value", 15, 0);
  public static final Field DEPENDENCY       = LINK_L.bits("Function Dependency Link", 7, 0);
  public static final Field PAGE_SIZES       = SIZES_L.bits("Page Sizes", 31, 0);
  public static final Field MIGRATION_BIR    = MIGRATION_L.bits("VF Migration State BIR", 2, 0);
  public static final Field MIGRATION_OFFSET = MIGRATION_L.address("VF Migration State Offset", 31, 3);

  public static final Register CAPABILITIES  = M.register("SR-IOV Capabilities", 0x04, Access.RO, CAPABILITIES_L.res0(20, 4).seal());
  public static final Register CONTROL       = M.register("SR-IOV Control", 0x08, Access.rw(0x0079), CONTROL_L.res0(15, 7).seal());
  public static final Register STATUS        = M.register("SR-IOV Status", 0x0a, Access.RO.andW1c(1), STATUS_L.res0(15, 1).seal());
  public static final Register INITIAL_VFS   = M.register("InitialVFs", 0x0c, Access.RO, COUNT_L.seal());
  public static final Register TOTAL_VFS     = M.register("TotalVFs", 0x0e, Access.RO, COUNT_L);
  public static final Register NUM_VFS       = M.register("NumVFs", 0x10, Access.RW, COUNT_L);
  public static final Register DEPENDENCY_LINK = M.register("Function Dependency Link", 0x12, Access.RO, LINK_L.seal());
  public static final Register FIRST_VF_OFFSET = M.register("First VF Offset", 0x14, Access.RO, COUNT_L);
  public static final Register VF_STRIDE     = M.register("VF Stride", 0x16, Access.RO, COUNT_L);
  public static final Register VF_DEVICE_ID  = M.register("VF Device ID", 0x1a, Access.RO, COUNT_L);
  public static final Register SUPPORTED_PAGE_SIZES = M.register("Supported Page Sizes", 0x1c, Access.RO, SIZES_L.seal());
  public static final Register SYSTEM_PAGE_SIZE = M.register("System Page Size", 0x20, Access.RW, SIZES_L, 1);
  public static final Register VF_BAR        = M.array("VF BAR", 0x24, 6, Access.RW, ConfigHeaderLayout.BAR.layout());
  public static final Register MIGRATION_STATE = M.register("VF Migration State Array Offset", 0x3c, Access.RO, MIGRATION_L.seal());
  // spotless:on

  public static final RegisterMap MAP = M.seal();

  private SriovLayout() {}
}
