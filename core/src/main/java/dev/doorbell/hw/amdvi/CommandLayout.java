package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// Commands: 16 bytes, two little-endian quadwords; bit n of the manual is bit n mod 64 of quadword n / 64. Fields of different commands share
/// bits, so each command has layouts of its own.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.4 Commands.
public final class CommandLayout {
  /// Bytes of a command.
  public static final int BYTES = 16;

  public static final int COMPLETION_WAIT = 0x1;
  public static final int INVALIDATE_DEVTAB_ENTRY = 0x2;
  public static final int INVALIDATE_IOMMU_PAGES = 0x3;
  public static final int INVALIDATE_IOTLB_PAGES = 0x4;
  public static final int INVALIDATE_INTERRUPT_TABLE = 0x5;
  public static final int PREFETCH_IOMMU_PAGES = 0x6;
  public static final int COMPLETE_PPR_REQUEST = 0x7;
  public static final int INVALIDATE_IOMMU_ALL = 0x8;

  /// Address of INVALIDATE_IOMMU_PAGES that with S=1 means all addresses: every bit but the highest.
  public static final long ALL_ADDRESSES = 0x7fff_ffff_ffff_f000L;

  private static final ValueNames OPCODES =
      ValueNames.of(
          COMPLETION_WAIT, "COMPLETION_WAIT",
          INVALIDATE_DEVTAB_ENTRY, "INVALIDATE_DEVTAB_ENTRY",
          INVALIDATE_IOMMU_PAGES, "INVALIDATE_IOMMU_PAGES",
          INVALIDATE_IOTLB_PAGES, "INVALIDATE_IOTLB_PAGES",
          INVALIDATE_INTERRUPT_TABLE, "INVALIDATE_INTERRUPT_TABLE",
          PREFETCH_IOMMU_PAGES, "PREFETCH_IOMMU_PAGES",
          COMPLETE_PPR_REQUEST, "COMPLETE_PPR_REQUEST",
          INVALIDATE_IOMMU_ALL, "INVALIDATE_IOMMU_ALL");
  private static final Layout ANY = Layout.lsb0("command[0]", 8);
  private static final Layout WAIT0 = Layout.lsb0("COMPLETION_WAIT[0]", 8);
  private static final Layout WAIT1 = Layout.lsb0("COMPLETION_WAIT[1]", 8);
  private static final Layout DEV0 = Layout.lsb0("INVALIDATE_DEVTAB_ENTRY[0]", 8);
  private static final Layout PAGES0 = Layout.lsb0("INVALIDATE_IOMMU_PAGES[0]", 8);
  private static final Layout PAGES1 = Layout.lsb0("INVALIDATE_IOMMU_PAGES[1]", 8);
  private static final Layout IOTLB0 = Layout.lsb0("INVALIDATE_IOTLB_PAGES[0]", 8);
  private static final Layout IOTLB1 = Layout.lsb0("INVALIDATE_IOTLB_PAGES[1]", 8);
  private static final Layout IRT0 = Layout.lsb0("INVALIDATE_INTERRUPT_TABLE[0]", 8);
  private static final Layout PPR0 = Layout.lsb0("COMPLETE_PPR_REQUEST[0]", 8);
  private static final Layout PPR1 = Layout.lsb0("COMPLETE_PPR_REQUEST[1]", 8);
  private static final Layout ALL0 = Layout.lsb0("INVALIDATE_IOMMU_ALL[0]", 8);

  // spotless:off
  public static final Field OPCODE           = ANY.bits     ("OpCode",        63, 60, OPCODES);
  public static final Field WAIT_STORE       = WAIT0.bit    ("S",              0);
  public static final Field WAIT_INTERRUPT   = WAIT0.bit    ("I",              1);
  public static final Field WAIT_FLUSH       = WAIT0.bit    ("F",              2);
  public static final Field WAIT_ADDRESS     = WAIT0.address("StoreAddress",  51,  3);
  public static final Field WAIT_OPCODE      = WAIT0.bits   ("OpCode",        63, 60, OPCODES);
  public static final Field WAIT_DATA        = WAIT1.bits   ("StoreData",     63,  0);
  public static final Field DEVICE           = DEV0.bits    ("DeviceID",      15,  0);
  public static final Field DEVICE_OPCODE    = DEV0.bits    ("OpCode",        63, 60, OPCODES);
  public static final Field PAGES_PASID      = PAGES0.bits  ("PASID",         19,  0);
  public static final Field PAGES_DOMAIN     = PAGES0.bits  ("DomainID",      47, 32);
  public static final Field PAGES_OPCODE     = PAGES0.bits  ("OpCode",        63, 60, OPCODES);
  public static final Field PAGES_S          = PAGES1.bit   ("S",              0);
  public static final Field PAGES_PDE        = PAGES1.bit   ("PDE",            1);
  public static final Field PAGES_GN         = PAGES1.bit   ("GN",             2);
  public static final Field PAGES_ADDRESS    = PAGES1.address("Address",      63, 12);
  public static final Field IOTLB_DEVICE     = IOTLB0.bits  ("DeviceID",      15,  0);
  public static final Field IOTLB_PASID_LOW  = IOTLB0.bits  ("PASID low",     23, 16);
  public static final Field IOTLB_MAXPEND    = IOTLB0.bits  ("Maxpend",       31, 24);
  public static final Field IOTLB_QUEUE      = IOTLB0.bits  ("QueueID",       47, 32);
  public static final Field IOTLB_PASID_HIGH = IOTLB0.bits  ("PASID high",    59, 48);
  public static final Field IOTLB_OPCODE     = IOTLB0.bits  ("OpCode",        63, 60, OPCODES);
  public static final Field IOTLB_S          = IOTLB1.bit   ("S",              0);
  public static final Field IOTLB_GN         = IOTLB1.bit   ("GN",             2);
  public static final Field IOTLB_TYPE       = IOTLB1.bits  ("Type",           5,  4);
  public static final Field IOTLB_ADDRESS    = IOTLB1.address("Address",      63, 12);
  public static final Field INTERRUPT_DEVICE = IRT0.bits    ("DeviceID",      15,  0);
  public static final Field INTERRUPT_OPCODE = IRT0.bits    ("OpCode",        63, 60, OPCODES);
  public static final Field COMPLETE_DEVICE  = PPR0.bits    ("DeviceID",      15,  0);
  public static final Field COMPLETE_PASID   = PPR0.bits    ("PASID",         51, 32);
  public static final Field COMPLETE_OPCODE  = PPR0.bits    ("OpCode",        63, 60, OPCODES);
  public static final Field COMPLETE_GN      = PPR1.bit     ("GN",             2);
  public static final Field COMPLETE_GROUP   = PPR1.bits    ("CompletionTag", 40, 32);
  public static final Field COMPLETE_CODE    = PPR1.bits    ("PPRCode",       47, 44, ValueNames.of(0, "success", 1, "invalid request", 15, "failure"));
  public static final Field ALL_OPCODE       = ALL0.bits    ("OpCode",        63, 60, OPCODES);

  public static final Layout COMMAND         = ANY.software(59, 0).seal();
  public static final Layout WAIT_0          = WAIT0.res0(59, 52).seal();
  public static final Layout WAIT_1          = WAIT1.seal();
  public static final Layout DEVTAB_0        = DEV0.res0(59, 16).seal();
  public static final Layout PAGES_0         = PAGES0.res0(31, 20).res0(59, 48).seal();
  public static final Layout PAGES_1         = PAGES1.res0(11, 3).seal();
  public static final Layout IOTLB_0         = IOTLB0.seal();
  public static final Layout IOTLB_1         = IOTLB1.res0(1, 1).res0(3, 3).res0(11, 6).seal();
  public static final Layout INTERRUPT_0     = IRT0.res0(59, 16).seal();
  public static final Layout COMPLETE_0      = PPR0.res0(31, 16).res0(59, 52).seal();
  public static final Layout COMPLETE_1      = PPR1.res0(1, 0).res0(31, 3).res0(43, 41).res0(63, 48).seal();
  public static final Layout ALL_0           = ALL0.res0(59, 0).seal();
  // spotless:on

  private CommandLayout() {}
}
