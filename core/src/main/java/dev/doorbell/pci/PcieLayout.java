package dev.doorbell.pci;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The PCI Express capability, as far as device type, FLR and ARI forwarding need it. Link, slot and root registers lie in the gaps.
///
/// **Source**: PCI Express Base 6.0, 7.5.3.
public final class PcieLayout {
  private static final RegisterMap.Builder M = RegisterMap.named("PCI Express", 0x3c);

  private static final Layout CAPABILITIES_L = Layout.lsb0("PCI Express Capabilities", 2);
  private static final Layout DEVICE_CAPABILITIES_L = Layout.lsb0("Device Capabilities", 4);
  private static final Layout DEVICE_CONTROL_L = Layout.lsb0("Device Control", 2);
  private static final Layout DEVICE_STATUS_L = Layout.lsb0("Device Status", 2);
  private static final Layout DEVICE_CAPABILITIES_2_L = Layout.lsb0("Device Capabilities 2", 4);
  private static final Layout DEVICE_CONTROL_2_L = Layout.lsb0("Device Control 2", 2);

  // spotless:off
  public static final Field VERSION            = CAPABILITIES_L.bits("Capability Version", 3, 0);
  public static final Field TYPE               = CAPABILITIES_L.bits("Device/Port Type", 7, 4, ValueNames.of(
      0, "PCI Express Endpoint", 1, "Legacy PCI Express Endpoint", 4, "Root Port", 5, "Upstream Port of Switch",
      6, "Downstream Port of Switch", 7, "PCI Express to PCI/PCI-X Bridge", 8, "PCI/PCI-X to PCI Express Bridge",
      9, "Root Complex Integrated Endpoint", 10, "Root Complex Event Collector"));
  public static final Field SLOT_IMPLEMENTED   = CAPABILITIES_L.bit("Slot Implemented", 8);
  public static final Field MESSAGE_NUMBER     = CAPABILITIES_L.bits("Interrupt Message Number", 13, 9);
  public static final Field FLIT_MODE          = CAPABILITIES_L.bit("Flit Mode Supported", 15);

  public static final Field MAX_PAYLOAD_SUPPORTED = DEVICE_CAPABILITIES_L.bits("Max_Payload_Size Supported", 2, 0);
  public static final Field PHANTOM_FUNCTIONS  = DEVICE_CAPABILITIES_L.bits("Phantom Functions Supported", 4, 3);
  public static final Field EXTENDED_TAG_SUPPORTED = DEVICE_CAPABILITIES_L.bit("Extended Tag Field Supported", 5);
  public static final Field L0S_LATENCY        = DEVICE_CAPABILITIES_L.bits("Endpoint L0s Acceptable Latency", 8, 6);
  public static final Field L1_LATENCY         = DEVICE_CAPABILITIES_L.bits("Endpoint L1 Acceptable Latency", 11, 9);
  public static final Field ROLE_BASED_ERRORS  = DEVICE_CAPABILITIES_L.bit("Role-Based Error Reporting", 15);
  public static final Field ERR_COR_SUBCLASS   = DEVICE_CAPABILITIES_L.bit("ERR_COR Subclass Capable", 16);
  public static final Field RX_MPS_FIXED       = DEVICE_CAPABILITIES_L.bit("Rx_MPS_Fixed", 17);
  public static final Field SLOT_POWER_VALUE   = DEVICE_CAPABILITIES_L.bits("Captured Slot Power Limit Value", 25, 18);
  public static final Field SLOT_POWER_SCALE   = DEVICE_CAPABILITIES_L.bits("Captured Slot Power Limit Scale", 27, 26);
  public static final Field FLR_CAPABLE        = DEVICE_CAPABILITIES_L.bit("Function Level Reset Capability", 28);
  public static final Field MIXED_MPS          = DEVICE_CAPABILITIES_L.bit("Mixed_MPS_Supported", 29);
  public static final Field TEE_IO             = DEVICE_CAPABILITIES_L.bit("TEE-IO Supported", 30);

  public static final Field CORRECTABLE_ENABLE = DEVICE_CONTROL_L.bit("Correctable Error Reporting Enable", 0);
  public static final Field NON_FATAL_ENABLE   = DEVICE_CONTROL_L.bit("Non-Fatal Error Reporting Enable", 1);
  public static final Field FATAL_ENABLE       = DEVICE_CONTROL_L.bit("Fatal Error Reporting Enable", 2);
  public static final Field UNSUPPORTED_ENABLE = DEVICE_CONTROL_L.bit("Unsupported Request Reporting Enable", 3);
  public static final Field RELAXED_ORDERING   = DEVICE_CONTROL_L.bit("Enable Relaxed Ordering", 4);
  public static final Field MAX_PAYLOAD        = DEVICE_CONTROL_L.bits("Max_Payload_Size", 7, 5);
  public static final Field EXTENDED_TAG       = DEVICE_CONTROL_L.bit("Extended Tag Field Enable", 8);
  public static final Field PHANTOM_ENABLE     = DEVICE_CONTROL_L.bit("Phantom Functions Enable", 9);
  public static final Field AUX_POWER          = DEVICE_CONTROL_L.bit("Aux Power PM Enable", 10);
  public static final Field NO_SNOOP           = DEVICE_CONTROL_L.bit("Enable No Snoop", 11);
  public static final Field MAX_READ_REQUEST   = DEVICE_CONTROL_L.bits("Max_Read_Request_Size", 14, 12);
  /// Of a bridge to PCI: Bridge Configuration Retry Enable.
  public static final Field INITIATE_FLR       = DEVICE_CONTROL_L.bit("Initiate Function Level Reset", 15);

  public static final Field CORRECTABLE_DETECTED = DEVICE_STATUS_L.bit("Correctable Error Detected", 0);
  public static final Field NON_FATAL_DETECTED = DEVICE_STATUS_L.bit("Non-Fatal Error Detected", 1);
  public static final Field FATAL_DETECTED     = DEVICE_STATUS_L.bit("Fatal Error Detected", 2);
  public static final Field UNSUPPORTED_DETECTED = DEVICE_STATUS_L.bit("Unsupported Request Detected", 3);
  public static final Field AUX_POWER_DETECTED = DEVICE_STATUS_L.bit("AUX Power Detected", 4);
  public static final Field TRANSACTIONS_PENDING = DEVICE_STATUS_L.bit("Transactions Pending", 5);
  public static final Field POWER_REDUCTION_DETECTED = DEVICE_STATUS_L.bit("Emergency Power Reduction Detected", 6);

  public static final Field TIMEOUT_RANGES     = DEVICE_CAPABILITIES_2_L.bits("Completion Timeout Ranges Supported", 3, 0);
  public static final Field TIMEOUT_DISABLE_SUPPORTED = DEVICE_CAPABILITIES_2_L.bit("Completion Timeout Disable Supported", 4);
  public static final Field ARI_FORWARDING_SUPPORTED = DEVICE_CAPABILITIES_2_L.bit("ARI Forwarding Supported", 5);
  public static final Field ATOMIC_ROUTING     = DEVICE_CAPABILITIES_2_L.bit("AtomicOp Routing Supported", 6);
  public static final Field ATOMIC_32          = DEVICE_CAPABILITIES_2_L.bit("32-bit AtomicOp Completer Supported", 7);
  public static final Field ATOMIC_64          = DEVICE_CAPABILITIES_2_L.bit("64-bit AtomicOp Completer Supported", 8);
  public static final Field CAS_128            = DEVICE_CAPABILITIES_2_L.bit("128-bit CAS Completer Supported", 9);
  public static final Field NO_RO_PR_PR        = DEVICE_CAPABILITIES_2_L.bit("No RO-enabled PR-PR Passing", 10);
  public static final Field LTR_SUPPORTED      = DEVICE_CAPABILITIES_2_L.bit("LTR Mechanism Supported", 11);
  public static final Field TPH_COMPLETER      = DEVICE_CAPABILITIES_2_L.bits("TPH Completer Supported", 13, 12);
  public static final Field LN_SYSTEM_CLS      = DEVICE_CAPABILITIES_2_L.bits("LN System CLS", 15, 14);
  public static final Field TAG10_COMPLETER    = DEVICE_CAPABILITIES_2_L.bit("10-Bit Tag Completer Supported", 16);
  public static final Field TAG10_REQUESTER    = DEVICE_CAPABILITIES_2_L.bit("10-Bit Tag Requester Supported", 17);
  public static final Field OBFF_SUPPORTED     = DEVICE_CAPABILITIES_2_L.bits("OBFF Supported", 19, 18);
  public static final Field EXTENDED_FMT       = DEVICE_CAPABILITIES_2_L.bit("Extended Fmt Field Supported", 20);
  public static final Field END_END_PREFIX     = DEVICE_CAPABILITIES_2_L.bit("End-End TLP Prefix Supported", 21);
  public static final Field MAX_END_END_PREFIXES = DEVICE_CAPABILITIES_2_L.bits("Max End-End TLP Prefixes", 23, 22);
  public static final Field POWER_REDUCTION    = DEVICE_CAPABILITIES_2_L.bits("Emergency Power Reduction Supported", 25, 24);
  public static final Field POWER_REDUCTION_INIT = DEVICE_CAPABILITIES_2_L.bit("Emergency Power Reduction Initialization Required", 26);
  public static final Field DMWR_COMPLETER     = DEVICE_CAPABILITIES_2_L.bit("DMWr Completer Supported", 28);
  public static final Field DMWR_LENGTHS       = DEVICE_CAPABILITIES_2_L.bits("DMWr Lengths Supported", 30, 29);
  public static final Field FRS_SUPPORTED      = DEVICE_CAPABILITIES_2_L.bit("FRS Supported", 31);

  public static final Field TIMEOUT_VALUE      = DEVICE_CONTROL_2_L.bits("Completion Timeout Value", 3, 0);
  public static final Field TIMEOUT_DISABLE    = DEVICE_CONTROL_2_L.bit("Completion Timeout Disable", 4);
  public static final Field ARI_FORWARDING     = DEVICE_CONTROL_2_L.bit("ARI Forwarding Enable", 5);
  public static final Field ATOMIC_REQUESTER   = DEVICE_CONTROL_2_L.bit("AtomicOp Requester Enable", 6);
  public static final Field ATOMIC_BLOCKING    = DEVICE_CONTROL_2_L.bit("AtomicOp Egress Blocking", 7);
  public static final Field IDO_REQUEST        = DEVICE_CONTROL_2_L.bit("IDO Request Enable", 8);
  public static final Field IDO_COMPLETION     = DEVICE_CONTROL_2_L.bit("IDO Completion Enable", 9);
  public static final Field LTR_ENABLE         = DEVICE_CONTROL_2_L.bit("LTR Mechanism Enable", 10);
  public static final Field POWER_REDUCTION_REQUEST = DEVICE_CONTROL_2_L.bit("Emergency Power Reduction Request", 11);
  public static final Field TAG10_ENABLE       = DEVICE_CONTROL_2_L.bit("10-Bit Tag Requester Enable", 12);
  public static final Field OBFF_ENABLE        = DEVICE_CONTROL_2_L.bits("OBFF Enable", 14, 13);
  public static final Field PREFIX_BLOCKING    = DEVICE_CONTROL_2_L.bit("End-End TLP Prefix Blocking", 15);

  /// Bit 14 is undefined: it was TCS Routing Supported once.
  public static final Register CAPABILITIES    = M.register("PCI Express Capabilities", 0x02, Access.RO, CAPABILITIES_L.ignored(14, 14).seal());
  public static final Register DEVICE_CAPABILITIES = M.register("Device Capabilities", 0x04, Access.RO, DEVICE_CAPABILITIES_L.ignored(14, 12).res0(31, 31).seal());
  public static final Register DEVICE_CONTROL  = M.register("Device Control", 0x08, new Access(0x7fffL, 0, 0, 0, 0x8000L), DEVICE_CONTROL_L.seal(), 0x2810);
  public static final Register DEVICE_STATUS   = M.register("Device Status", 0x0a, Access.RO.andW1c(0x000f), DEVICE_STATUS_L.res0(15, 7).seal());
  public static final Register DEVICE_CAPABILITIES_2 = M.register("Device Capabilities 2", 0x24, Access.RO, DEVICE_CAPABILITIES_2_L.res0(27, 27).seal());
  public static final Register DEVICE_CONTROL_2 = M.register("Device Control 2", 0x28, Access.RW, DEVICE_CONTROL_2_L.seal());
  // spotless:on

  public static final RegisterMap MAP = M.seal();

  private PcieLayout() {}
}
