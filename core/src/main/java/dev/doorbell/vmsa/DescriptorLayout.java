package dev.doorbell.vmsa;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.JoinedField;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// VMSAv8-64 descriptors: 8 bytes, little-endian. Bits 1:0 tell the kind: x0 invalid, 01 block (reserved at level 3 and where the
/// granule has no block of that size), 11 table (at level 3: page).
///
/// The address field of pages, blocks and tables is declared from bit 12. Of a larger page or of a block the low bits are RES0
/// and are taken as zero; with the 64 KiB granule bits 15:12 carry address bits 51:48 when the output has 52 bits.
/// The layout with DS = 1 (52 bits with 4 and 16 KiB granules) is another one and is not declared here.
///
/// **Source** DDI 0487 J.a, D8.3.1 VMSAv8-64 descriptor formats, D8.4, D8.5.
public final class DescriptorLayout {
  /// Bytes of one descriptor.
  public static final int BYTES = 8;

  /// AP[2:1]: read and write, unprivileged too.
  public static final int AP_READ_WRITE = 0b01;

  /// AP[2:1]: read, unprivileged too.
  public static final int AP_READ_ONLY = 0b11;

  /// AP[2:1]: read, privileged only. Encodings from here on are read-only.
  public static final int AP_PRIVILEGED_READ_ONLY = 0b10;

  /// APTable: encodings from here on take write access away below.
  public static final int AP_TABLE_READ_ONLY = 0b10;

  /// APTable, low bit: unprivileged access is taken away below.
  public static final int AP_TABLE_PRIVILEGED = 0b1;

  /// S2AP: read.
  public static final int S2AP_READ = 0b01;

  /// S2AP: write.
  public static final int S2AP_WRITE = 0b10;

  /// SH: outer shareable.
  public static final int SH_OUTER = 0b10;

  /// SH: inner shareable.
  public static final int SH_INNER = 0b11;

  /// Stage 2 MemAttr: Device-nGnRE.
  public static final int MEM_ATTR_DEVICE_NGNRE = 0b0001;

  /// Stage 2 MemAttr: the encodings up to this one are Device memory.
  public static final int MEM_ATTR_LAST_DEVICE = 0b0011;

  /// Stage 2 MemAttr: Normal, outer and inner write-back.
  public static final int MEM_ATTR_WRITE_BACK = 0b1111;

  /// Stage 2 XN: never executable.
  public static final int XN_ALL = 0b10;

  private static final ValueNames AP_NAMES =
      ValueNames.of(
          0b00, "privileged read/write",
          0b01, "read/write",
          0b10, "privileged read-only",
          0b11, "read-only");
  private static final ValueNames AP_TABLE_NAMES =
      ValueNames.of(
          0b00, "no effect",
          0b01, "no unprivileged access below",
          0b10, "no write below",
          0b11, "no write, no unprivileged access below");
  private static final ValueNames S2AP_NAMES =
      ValueNames.of(0b00, "no access", 0b01, "read-only", 0b10, "write-only", 0b11, "read/write");
  private static final ValueNames SH_NAMES =
      ValueNames.of(
          0b00,
          "non-shareable",
          0b01,
          "reserved",
          0b10,
          "outer shareable",
          0b11,
          "inner shareable");
  private static final ValueNames MEM_ATTRS =
      ValueNames.of(
          0b0000, "Device-nGnRnE",
          0b0001, "Device-nGnRE",
          0b0010, "Device-nGRE",
          0b0011, "Device-GRE",
          0b0101, "Normal non-cacheable",
          0b1010, "Normal write-through",
          0b1111, "Normal write-back");

  private static final Layout T = Layout.lsb0("table descriptor", 8);
  private static final Layout T2 = Layout.lsb0("stage 2 table descriptor", 8);
  private static final Layout P1 = Layout.lsb0("stage 1 leaf descriptor", 8);
  private static final Layout P2 = Layout.lsb0("stage 2 leaf descriptor", 8);

  // spotless:off
  // Common to all: where both stages name a bit alike, the stage 1 field serves both.
  public static final Field VALID          = P1.bit    ("Valid",                    0);
  public static final Field TABLE          = P1.bit    ("Type",                     1);

  // Stage 1 block or page.
  public static final Field ATTR_INDX      = P1.bits   ("AttrIndx",             4,  2);
  public static final Field NS             = P1.bit    ("NS",                       5);
  public static final Field AP             = P1.bits   ("AP",                   7,  6, AP_NAMES);
  public static final Field SH             = P1.bits   ("SH",                   9,  8, SH_NAMES);
  public static final Field AF             = P1.bit    ("AF",                      10);
  public static final Field NG             = P1.bit    ("nG",                      11);
  public static final Field OUTPUT_ADDRESS = P1.address("OutputAddress",       47, 12);
  public static final Field GP             = P1.bit    ("GP",                      50);
  public static final Field DBM            = P1.bit    ("DBM",                     51);
  public static final Field CONTIGUOUS     = P1.bit    ("Contiguous",              52);
  public static final Field PXN            = P1.bit    ("PXN",                     53);
  public static final Field UXN            = P1.bit    ("UXN",                     54);
  public static final Field PBHA           = P1.bits   ("PBHA",                62, 59);

  // Stage 2 block or page.
  public static final Field S2_VALID       = P2.bit    ("Valid",                    0);
  public static final Field S2_TABLE       = P2.bit    ("Type",                     1);
  public static final Field S2_MEM_ATTR    = P2.bits   ("MemAttr",              5,  2, MEM_ATTRS);
  public static final Field S2_AP          = P2.bits   ("S2AP",                 7,  6, S2AP_NAMES);
  public static final Field S2_SH          = P2.bits   ("SH",                   9,  8, SH_NAMES);
  public static final Field S2_AF          = P2.bit    ("AF",                      10);
  public static final Field S2_FNXS        = P2.bit    ("FnXS",                    11);
  public static final Field S2_OUTPUT      = P2.address("OutputAddress",       47, 12);
  public static final Field S2_DBM         = P2.bit    ("DBM",                     51);
  public static final Field S2_CONTIGUOUS  = P2.bit    ("Contiguous",              52);
  public static final Field S2_XN          = P2.bits   ("XN",                  54, 53);
  public static final Field S2_PBHA        = P2.bits   ("PBHA",                62, 59);

  // Table: stage 1, then stage 2 (which has no attributes).
  public static final Field TABLE_VALID    = T.bit     ("Valid",                    0);
  public static final Field TABLE_TYPE     = T.bit     ("Type",                     1);
  public static final Field TABLE_AF       = T.bit     ("AF",                      10);
  public static final Field NEXT_TABLE     = T.address ("NextLevelTable",      47, 12);
  public static final Field PXN_TABLE      = T.bit     ("PXNTable",                59);
  public static final Field UXN_TABLE      = T.bit     ("UXNTable",                60);
  public static final Field AP_TABLE       = T.bits    ("APTable",             62, 61, AP_TABLE_NAMES);
  public static final Field NS_TABLE       = T.bit     ("NSTable",                 63);
  public static final Field S2_TABLE_VALID = T2.bit    ("Valid",                    0);
  public static final Field S2_TABLE_TYPE  = T2.bit    ("Type",                     1);
  public static final Field S2_TABLE_AF    = T2.bit    ("AF",                      10);
  public static final Field S2_NEXT_TABLE  = T2.address("NextLevelTable",      47, 12);

  public static final Layout STAGE1_TABLE =
      T.ignored(9, 2).ignored(11, 11).res0(50, 48).ignored(58, 51).seal();
  public static final Layout STAGE2_TABLE =
      T2.ignored(9, 2).ignored(11, 11).res0(50, 48).ignored(58, 51).res0(63, 59).seal();
  public static final Layout STAGE1_LEAF =
      P1.res0(49, 48).software(58, 55).ignored(63, 63).seal();
  public static final Layout STAGE2_LEAF =
      P2.res0(50, 48).software(58, 55).ignored(63, 63).seal();

  private static final Layout H = Layout.lsb0("64 KiB granule address", 8);
  /// Address bits 51:48 with the 64 KiB granule and a 52-bit output, in tables, blocks and pages alike.
  public static final Field ADDRESS_51_48  = H.bits    ("OA[51:48]",           15, 12);
  /// Address bits 47:16 with the 64 KiB granule.
  public static final Field ADDRESS_47_16  = H.bits    ("OA[47:16]",           47, 16);
  /// The words around the two address fields are those of the layouts above.
  public static final Layout WIDE_ADDRESS  = H.ignored(11, 0).ignored(63, 48).seal();
  // spotless:on

  /// The whole 52-bit address with the 64 KiB granule.
  public static final JoinedField ADDRESS_51_16 =
      new JoinedField(
          "OA[51:16]",
          List.of(
              new JoinedField.Piece(ADDRESS_47_16, 0, 16),
              new JoinedField.Piece(ADDRESS_51_48, 0, 48)));

  private DescriptorLayout() {}
}
