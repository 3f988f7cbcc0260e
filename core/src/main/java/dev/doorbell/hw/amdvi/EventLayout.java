package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// Records of the event log: 16 bytes, two little-endian quadwords. One layout holds the flags of all records; a record that has no use for a
/// flag has a zero there.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.5 Event Logging.
public final class EventLayout {
  /// Bytes of a record.
  public static final int BYTES = 16;

  public static final int ILLEGAL_DEV_TABLE_ENTRY = 0x1;
  public static final int IO_PAGE_FAULT = 0x2;
  public static final int DEV_TAB_HARDWARE_ERROR = 0x3;
  public static final int PAGE_TAB_HARDWARE_ERROR = 0x4;
  public static final int ILLEGAL_COMMAND_ERROR = 0x5;
  public static final int COMMAND_HARDWARE_ERROR = 0x6;
  public static final int IOTLB_INV_TIMEOUT = 0x7;
  public static final int INVALID_DEVICE_REQUEST = 0x8;
  public static final int INVALID_PPR_REQUEST = 0x9;

  /// Type of a hardware error: nothing answered.
  public static final int TARGET_ABORT = 2;

  /// Type of INVALID_DEVICE_REQUEST: a read in the interrupt address range.
  public static final int READ_OF_INTERRUPT_RANGE = 0;

  private static final ValueNames CODES =
      ValueNames.of(
          ILLEGAL_DEV_TABLE_ENTRY, "ILLEGAL_DEV_TABLE_ENTRY",
          IO_PAGE_FAULT, "IO_PAGE_FAULT",
          DEV_TAB_HARDWARE_ERROR, "DEV_TAB_HARDWARE_ERROR",
          PAGE_TAB_HARDWARE_ERROR, "PAGE_TAB_HARDWARE_ERROR",
          ILLEGAL_COMMAND_ERROR, "ILLEGAL_COMMAND_ERROR",
          COMMAND_HARDWARE_ERROR, "COMMAND_HARDWARE_ERROR",
          IOTLB_INV_TIMEOUT, "IOTLB_INV_TIMEOUT",
          INVALID_DEVICE_REQUEST, "INVALID_DEVICE_REQUEST",
          INVALID_PPR_REQUEST, "INVALID_PPR_REQUEST");
  private static final Layout E0 = Layout.lsb0("event[0]", 8);
  private static final Layout R0 = Layout.lsb0("INVALID_DEVICE_REQUEST[0]", 8);
  private static final Layout E1 = Layout.lsb0("event[1]", 8);

  // spotless:off
  public static final Field DEVICE   = E0.bits("DeviceID",     15,  0);
  public static final Field PASID    = E0.bits("PASID[19:16]", 19, 16);
  /// DomainID, or with GN=1 the PASID's low bits.
  public static final Field DOMAIN   = E0.bits("DomainID",     47, 32);
  public static final Field GN       = E0.bit ("GN",           48);
  public static final Field NX       = E0.bit ("NX",           49);
  public static final Field US       = E0.bit ("US",           50);
  public static final Field I        = E0.bit ("I",            51, ValueNames.of(0, "memory request", 1, "interrupt request"));
  public static final Field PR       = E0.bit ("PR",           52);
  public static final Field RW       = E0.bit ("RW",           53, ValueNames.of(0, "read", 1, "write"));
  public static final Field PE       = E0.bit ("PE",           54);
  public static final Field RZ       = E0.bit ("RZ",           55);
  public static final Field TR       = E0.bit ("TR",           56);
  public static final Field TYPE     = E0.bits("Type",         58, 57);
  public static final Field CODE     = E0.bits("EventCode",    63, 60, CODES);
  public static final Field REQUEST_DEVICE = R0.bits("DeviceID", 15, 0);
  public static final Field REQUEST_TYPE   = R0.bits("Type",     59, 57);
  public static final Field REQUEST_CODE   = R0.bits("EventCode", 63, 60, CODES);
  public static final Field ADDRESS  = E1.bits("Address",      63,  0);

  public static final Layout WORD_0  = E0.res0(31, 20).res0(59, 59).seal();
  public static final Layout REQUEST_0 = R0.software(56, 16).seal();
  public static final Layout WORD_1  = E1.seal();
  // spotless:on

  private EventLayout() {}
}
