package dev.doorbell.hw.vtd;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// Descriptors of the invalidation queue: 16 bytes, two little-endian quadwords.
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 6.5.2 Queued Invalidation Interface.
public final class InvalidationLayout {
  /// Bytes of a descriptor.
  public static final int BYTES = 16;

  public static final int CONTEXT_CACHE = 0x1;
  public static final int IOTLB = 0x2;
  public static final int DEVICE_TLB = 0x3;
  public static final int INTERRUPT_ENTRY_CACHE = 0x4;
  public static final int WAIT = 0x5;
  public static final int PASID_IOTLB = 0x6;
  public static final int PASID_CACHE = 0x7;

  /// Bytes of a descriptor where IQA_REG.DW is 1; the upper half of those here is 0.
  public static final int WIDE_BYTES = 32;

  /// G of a PASID cache invalidation: entries of a domain, of a PASID in a domain, all.
  public static final int PC_DOMAIN = 0b00;

  public static final int PC_PASID = 0b01;
  public static final int PC_GLOBAL = 0b11;

  /// G of a PASID-based IOTLB invalidation: all pages of a PASID in a domain, a run of them.
  public static final int PI_PASID = 0b10;

  public static final int PI_PAGES = 0b11;

  private static final ValueNames TYPES =
      ValueNames.of(
          1,
          "context cache",
          2,
          "IOTLB",
          3,
          "device TLB",
          4,
          "interrupt entry cache",
          5,
          "wait",
          6,
          "PASID-based IOTLB",
          7,
          "PASID cache");
  private static final ValueNames GRANULARITIES =
      ValueNames.of(0b01, "global", 0b10, "domain", 0b11, "device or pages");
  private static final Layout T = Layout.lsb0("invalidation descriptor[0]", 8);
  private static final Layout C = Layout.lsb0("cc_inv_dsc[0]", 8);
  private static final Layout L = Layout.lsb0("iotlb_inv_dsc[0]", 8);
  private static final Layout H = Layout.lsb0("iotlb_inv_dsc[1]", 8);
  private static final Layout I = Layout.lsb0("iec_inv_dsc[0]", 8);
  private static final Layout W = Layout.lsb0("inv_wait_dsc[0]", 8);
  private static final Layout PC = Layout.lsb0("pc_inv_dsc[0]", 8);
  private static final Layout PL = Layout.lsb0("p_iotlb_inv_dsc[0]", 8);
  private static final Layout PH = Layout.lsb0("p_iotlb_inv_dsc[1]", 8);
  private static final Layout S = Layout.lsb0("inv_wait_dsc[1]", 8);

  // spotless:off
  public static final Field TYPE         = T.bits   ("Type",         3,  0, TYPES);
  public static final Field CC_TYPE      = C.bits   ("Type",         3,  0);
  public static final Field CC_G         = C.bits   ("G",            5,  4, GRANULARITIES);
  public static final Field CC_DID       = C.bits   ("DID",         31, 16);
  public static final Field CC_SID       = C.bits   ("SID",         47, 32);
  public static final Field CC_FM        = C.bits   ("FM",          49, 48);
  public static final Field IOTLB_TYPE   = L.bits   ("Type",         3,  0);
  public static final Field IOTLB_G      = L.bits   ("G",            5,  4, GRANULARITIES);
  public static final Field IOTLB_DW     = L.bit    ("DW",           6);
  public static final Field IOTLB_DR     = L.bit    ("DR",           7);
  public static final Field IOTLB_DID    = L.bits   ("DID",         31, 16);
  public static final Field AM           = H.bits   ("AM",           5,  0);
  public static final Field IH           = H.bit    ("IH",           6);
  public static final Field ADDR         = H.address("ADDR",        63, 12);
  public static final Field IEC_TYPE     = I.bits   ("Type",         3,  0);
  public static final Field IEC_G        = I.bit    ("G",            4, ValueNames.of(0, "global", 1, "index-selective"));
  public static final Field IM           = I.bits   ("IM",          31, 27);
  public static final Field IIDX         = I.bits   ("IIDX",        47, 32);
  public static final Field WAIT_TYPE    = W.bits   ("Type",         3,  0);
  public static final Field IF           = W.bit    ("IF",           4);
  public static final Field SW           = W.bit    ("SW",           5);
  public static final Field FN           = W.bit    ("FN",           6);
  public static final Field PD           = W.bit    ("PD",           7);
  public static final Field STATUS_DATA  = W.bits   ("STATUS_DATA", 63, 32);
  public static final Field STATUS_ADDRESS = S.address("STATUS_ADDRESS", 63, 2);
  public static final Field PC_TYPE      = PC.bits  ("Type",         3,  0);
  public static final Field PC_G         = PC.bits  ("G",            5,  4);
  public static final Field PC_DID       = PC.bits  ("DID",         31, 16);
  public static final Field PC_PASID_ID  = PC.bits  ("PASID",       51, 32);
  public static final Field PI_TYPE      = PL.bits  ("Type",         3,  0);
  public static final Field PI_G         = PL.bits  ("G",            5,  4);
  public static final Field PI_DID       = PL.bits  ("DID",         31, 16);
  public static final Field PI_PASID_ID  = PL.bits  ("PASID",       51, 32);
  public static final Field PI_AM        = PH.bits  ("AM",           5,  0);
  public static final Field PI_IH        = PH.bit   ("IH",           6);
  public static final Field PI_ADDR      = PH.address("ADDR",       63, 12);
  // spotless:on

  public static final Layout PASID_CACHE_LAYOUT = PC.res0(15, 6).res0(63, 52).seal();
  public static final Layout PASID_IOTLB_LOW = PL.res0(15, 6).res0(63, 52).seal();
  public static final Layout PASID_IOTLB_HIGH = PH.res0(11, 7).seal();
  public static final Layout DESCRIPTOR = T.ignored(63, 4).seal();
  public static final Layout CONTEXT = C.res0(15, 6).res0(63, 50).seal();
  public static final Layout IOTLB_LOW = L.res0(15, 8).res0(63, 32).seal();
  public static final Layout IOTLB_HIGH = H.res0(11, 7).seal();
  public static final Layout IEC = I.res0(26, 5).res0(63, 48).seal();
  public static final Layout WAIT_LOW = W.res0(31, 8).seal();
  public static final Layout WAIT_HIGH = S.res0(1, 0).seal();

  private InvalidationLayout() {}
}
