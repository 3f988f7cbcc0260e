package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// Context descriptor: 64 bytes, eight little-endian quadwords, aligned to its size; and the level-1 descriptor of a two-level
/// table of them.
///
/// Bit numbers are those within the quadword: the manual's bit n of the descriptor is bit n mod 64 of quadword n / 64.
/// Quadword 0 holds the valid bit and is written last. Bits 63:62 of quadwords 1 and 2 are SKL0 and SKL1 where VMSAv9-128
/// tables are used; they are declared by their VMSAv8-64 names.
///
/// **Source** IHI 0070 G.b, 5.3 Level 1 Context Descriptor and 5.4 Context Descriptor.
public final class CdLayout {
  /// Bytes of one descriptor.
  public static final int BYTES = 64;

  /// Quadwords of one descriptor.
  public static final int QUADWORDS = 8;

  /// TG0: 4 KiB granule.
  public static final int TG0_4K = 0b00;

  /// TG0: 64 KiB granule.
  public static final int TG0_64K = 0b01;

  /// TG0: 16 KiB granule.
  public static final int TG0_16K = 0b10;

  /// IR0, OR0: write-back, read- and write-allocate.
  public static final int CACHE_WRITE_BACK = 0b01;

  /// SH0: inner shareable.
  public static final int SH_INNER = 0b11;

  private static final ValueNames TG0_NAMES =
      ValueNames.of(0b00, "4K", 0b01, "64K", 0b10, "16K", 0b11, "reserved");
  private static final ValueNames TG1_NAMES =
      ValueNames.of(0b00, "reserved", 0b01, "16K", 0b10, "4K", 0b11, "64K");
  private static final ValueNames CACHEABILITY =
      ValueNames.of(
          0b00, "non-cacheable",
          0b01, "write-back, read- and write-allocate",
          0b10, "write-through, read-allocate",
          0b11, "write-back, read-allocate");
  private static final ValueNames SHAREABILITY =
      ValueNames.of(
          0b00,
          "non-shareable",
          0b01,
          "reserved",
          0b10,
          "outer shareable",
          0b11,
          "inner shareable");
  private static final ValueNames ADDRESS_SIZES =
      ValueNames.of(
          0, "32 bits", 1, "36 bits", 2, "40 bits", 3, "42 bits", 4, "44 bits", 5, "48 bits", 6,
          "52 bits", 7, "56 bits");
  private static final ValueNames ASID_SETS = ValueNames.of(0, "shared", 1, "not shared");

  private static final Layout L0 = Layout.lsb0("CD[0]", 8);
  private static final Layout L1 = Layout.lsb0("CD[1]", 8);
  private static final Layout L2 = Layout.lsb0("CD[2]", 8);
  private static final Layout L3 = Layout.lsb0("CD[3]", 8);
  private static final Layout L4 = Layout.lsb0("CD[4]", 8);
  private static final Layout L5 = Layout.lsb0("CD[5]", 8);
  private static final Layout L6 = Layout.lsb0("CD[6]", 8);
  private static final Layout L7 = Layout.lsb0("CD[7]", 8);
  private static final Layout LL1 = Layout.lsb0("L1CD", 8);

  // spotless:off
  // Quadword 0, bits 63:0 of the descriptor.
  public static final Field T0SZ    = L0.bits   ("T0SZ",     5,  0);
  public static final Field TG0     = L0.bits   ("TG0",      7,  6, TG0_NAMES);
  public static final Field IR0     = L0.bits   ("IR0",      9,  8, CACHEABILITY);
  public static final Field OR0     = L0.bits   ("OR0",     11, 10, CACHEABILITY);
  public static final Field SH0     = L0.bits   ("SH0",     13, 12, SHAREABILITY);
  public static final Field EPD0    = L0.bit    ("EPD0",    14);
  public static final Field ENDI    = L0.bit    ("ENDI",    15);
  public static final Field T1SZ    = L0.bits   ("T1SZ",    21, 16);
  public static final Field TG1     = L0.bits   ("TG1",     23, 22, TG1_NAMES);
  public static final Field IR1     = L0.bits   ("IR1",     25, 24, CACHEABILITY);
  public static final Field OR1     = L0.bits   ("OR1",     27, 26, CACHEABILITY);
  public static final Field SH1     = L0.bits   ("SH1",     29, 28, SHAREABILITY);
  public static final Field EPD1    = L0.bit    ("EPD1",    30);
  public static final Field V       = L0.bit    ("V",       31);
  public static final Field IPS     = L0.bits   ("IPS",     34, 32, ADDRESS_SIZES);
  public static final Field AFFD    = L0.bit    ("AFFD",    35);
  public static final Field WXN     = L0.bit    ("WXN",     36);
  public static final Field UWXN    = L0.bit    ("UWXN",    37);
  public static final Field TBI0    = L0.bit    ("TBI0",    38);
  public static final Field TBI1    = L0.bit    ("TBI1",    39);
  public static final Field PAN     = L0.bit    ("PAN",     40);
  public static final Field AA64    = L0.bit    ("AA64",    41);
  public static final Field HD      = L0.bit    ("HD",      42);
  public static final Field HA      = L0.bit    ("HA",      43);
  public static final Field S       = L0.bit    ("S",       44);
  public static final Field R       = L0.bit    ("R",       45);
  public static final Field A       = L0.bit    ("A",       46);
  public static final Field ASET    = L0.bit    ("ASET",    47, ASID_SETS);
  public static final Field ASID    = L0.bits   ("ASID",    63, 48);

  // Quadword 1, bits 127:64.
  public static final Field NSCFG0  = L1.bit    ("NSCFG0",   0);
  public static final Field HAD0    = L1.bit    ("HAD0",     1);
  public static final Field E0PD0   = L1.bit    ("E0PD0",    2);
  public static final Field HAFT    = L1.bit    ("HAFT",     3);
  public static final Field TTB0    = L1.address("TTB0",    55,  4);
  public static final Field PNCH    = L1.bit    ("PnCH",    58);
  public static final Field EPAN    = L1.bit    ("EPAN",    59);
  public static final Field HWU059  = L1.bit    ("HWU059",  60);
  public static final Field HWU060  = L1.bit    ("HWU060",  61);
  public static final Field HWU061  = L1.bit    ("HWU061",  62);
  public static final Field HWU062  = L1.bit    ("HWU062",  63);

  // Quadword 2, bits 191:128.
  public static final Field NSCFG1  = L2.bit    ("NSCFG1",   0);
  public static final Field HAD1    = L2.bit    ("HAD1",     1);
  public static final Field E0PD1   = L2.bit    ("E0PD1",    2);
  public static final Field AIE     = L2.bit    ("AIE",      3);
  public static final Field TTB1    = L2.address("TTB1",    55,  4);
  public static final Field DS      = L2.bit    ("DS",      58);
  public static final Field PIE     = L2.bit    ("PIE",     59);
  public static final Field HWU159  = L2.bit    ("HWU159",  60);
  public static final Field HWU160  = L2.bit    ("HWU160",  61);
  public static final Field HWU161  = L2.bit    ("HWU161",  62);
  public static final Field HWU162  = L2.bit    ("HWU162",  63);

  // Quadword 3, bits 255:192: eight attributes of one byte, attribute 0 in the lowest.
  public static final Field MAIR0   = L3.bits   ("MAIR0",   31,  0);
  public static final Field MAIR1   = L3.bits   ("MAIR1",   63, 32);

  // Quadword 4, bits 319:256.
  public static final Field AMAIR0  = L4.bits   ("AMAIR0",  31,  0);
  public static final Field AMAIR1  = L4.bits   ("AMAIR1",  63, 32);

  // Quadword 5, bits 383:320.
  public static final Field PARTID  = L5.bits   ("PARTID",  47, 32);
  public static final Field PMG     = L5.bits   ("PMG",     55, 48);

  // Quadwords 6 and 7: sixteen permission interpretations of three bits each.
  public static final Field PIIU    = L6.bits   ("PIIU",    47,  0);
  public static final Field PIIP    = L7.bits   ("PIIP",    47,  0);

  // Level-1 descriptor of a two-level table.
  public static final Field L1_V      = LL1.bit    ("V",      0);
  public static final Field L1_L2_PTR = LL1.address("L2Ptr", 55, 12);

  public static final Layout QW0 = L0.seal();
  public static final Layout QW1 = L1.res0(57, 56).seal();
  public static final Layout QW2 = L2.res0(57, 56).seal();
  public static final Layout QW3 = L3.seal();
  public static final Layout QW4 = L4.seal();
  public static final Layout QW5 = L5.impdef(31, 0).res0(63, 56).seal();
  public static final Layout QW6 = L6.res0(63, 48).seal();
  public static final Layout QW7 = L7.res0(63, 48).seal();
  public static final Layout L1CD = LL1.res0(11, 1).res0(63, 56).seal();
  // spotless:on

  /// The eight quadwords in memory order.
  public static final List<Layout> ENTRY = List.of(QW0, QW1, QW2, QW3, QW4, QW5, QW6, QW7);

  private CdLayout() {}
}
