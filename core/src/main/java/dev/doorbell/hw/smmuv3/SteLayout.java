package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// Stream table entry: 64 bytes, eight little-endian quadwords, aligned to its size.
///
/// Bit numbers are those within the quadword: the manual's bit n of the entry is bit n mod 64 of quadword n / 64.
/// Quadword 0 holds the valid bit: it is written last when an entry is made, first when it is taken away.
///
/// **Source** IHI 0070 G.b, 5.2 Stream Table Entry.
public final class SteLayout {
  /// Bytes of one entry.
  public static final int BYTES = 64;

  /// Quadwords of one entry.
  public static final int QUADWORDS = 8;

  /// Config: every access ends, nothing is recorded.
  public static final int CONFIG_ABORT = 0b000;

  /// Config: accesses pass untranslated.
  public static final int CONFIG_BYPASS = 0b100;

  /// Config: stage 1 translates, stage 2 bypasses.
  public static final int CONFIG_S1_TRANS = 0b101;

  /// Config: stage 1 bypasses, stage 2 translates.
  public static final int CONFIG_S2_TRANS = 0b110;

  /// Config: both stages translate.
  public static final int CONFIG_NESTED = 0b111;

  /// Shareability: outer, of S1CSH, S2SH0 and SHCFG.
  public static final int SH_OUTER = 0b10;

  /// Shareability: inner.
  public static final int SH_INNER = 0b11;

  /// SHCFG: as the access came in.
  public static final int SHCFG_INCOMING = 0b01;

  /// Cacheability of table fetches (S1CIR, S1COR, S2IR0, S2OR0): write-back, read-allocate.
  public static final int CACHE_WRITE_BACK = 0b01;

  /// S1DSS: accesses without a SubstreamID end.
  public static final int S1DSS_TERMINATE = 0b00;

  /// S1DSS: accesses without a SubstreamID pass stage 1 as they are.
  public static final int S1DSS_BYPASS = 0b01;

  /// S1DSS: accesses without a SubstreamID use context descriptor 0.
  public static final int S1DSS_SSID0 = 0b10;

  /// S1Fmt: context descriptors side by side.
  public static final int S1FMT_LINEAR = 0b00;

  /// S1Fmt: two levels, with 64 descriptors in each leaf.
  public static final int S1FMT_LEAVES_4K = 0b01;

  private static final ValueNames CONFIGS =
      ValueNames.of(
          0b000, "abort",
          0b001, "abort, reserved encoding",
          0b010, "abort, reserved encoding",
          0b011, "abort, reserved encoding",
          0b100, "bypass",
          0b101, "stage 1 translates",
          0b110, "stage 2 translates",
          0b111, "stages 1 and 2 translate");
  private static final ValueNames S1_FORMATS =
      ValueNames.of(
          0b00,
          "linear",
          0b01,
          "two-level, 4 KiB leaves",
          0b10,
          "two-level, 64 KiB leaves",
          0b11,
          "reserved");
  private static final ValueNames SUBSTREAM_DEFAULTS =
      ValueNames.of(0b00, "terminate", 0b01, "bypass stage 1", 0b10, "use CD 0", 0b11, "reserved");
  private static final ValueNames CACHEABILITY =
      ValueNames.of(
          0b00, "non-cacheable",
          0b01, "write-back, read-allocate",
          0b10, "write-through, read-allocate",
          0b11, "write-back, no read-allocate");
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
  private static final ValueNames SHCFGS =
      ValueNames.of(
          0b00,
          "non-shareable",
          0b01,
          "incoming",
          0b10,
          "outer shareable",
          0b11,
          "inner shareable");
  private static final ValueNames EATS_NAMES =
      ValueNames.of(
          0b00,
          "ATS disabled",
          0b01,
          "full ATS",
          0b10,
          "split-stage ATS",
          0b11,
          "full ATS with DPT checks");
  private static final ValueNames STREAM_WORLDS =
      ValueNames.of(0b00, "NS-EL1", 0b01, "EL3 or reserved", 0b10, "EL2", 0b11, "reserved");
  private static final ValueNames GRANULES =
      ValueNames.of(0b00, "4K", 0b01, "64K", 0b10, "16K", 0b11, "reserved");
  private static final ValueNames ADDRESS_SIZES =
      ValueNames.of(
          0, "32 bits", 1, "36 bits", 2, "40 bits", 3, "42 bits", 4, "44 bits", 5, "48 bits", 6,
          "52 bits", 7, "56 bits");

  private static final Layout L0 = Layout.lsb0("STE[0]", 8);
  private static final Layout L1 = Layout.lsb0("STE[1]", 8);
  private static final Layout L2 = Layout.lsb0("STE[2]", 8);
  private static final Layout L3 = Layout.lsb0("STE[3]", 8);
  private static final Layout L4 = Layout.lsb0("STE[4]", 8);
  private static final Layout L5 = Layout.lsb0("STE[5]", 8);
  private static final Layout L6 = Layout.lsb0("STE[6]", 8);
  private static final Layout L7 = Layout.lsb0("STE[7]", 8);

  // spotless:off
  // Quadword 0, bits 63:0 of the entry.
  public static final Field V              = L0.bit    ("V",             0);
  public static final Field CONFIG         = L0.bits   ("Config",        3,  1, CONFIGS);
  public static final Field S1_FMT         = L0.bits   ("S1Fmt",         5,  4, S1_FORMATS);
  public static final Field S1_CONTEXT_PTR = L0.address("S1ContextPtr", 55,  6);
  public static final Field S1_CD_MAX      = L0.bits   ("S1CDMax",      63, 59);

  // Quadword 1, bits 127:64.
  public static final Field S1_DSS         = L1.bits   ("S1DSS",         1,  0, SUBSTREAM_DEFAULTS);
  public static final Field S1_CIR         = L1.bits   ("S1CIR",         3,  2, CACHEABILITY);
  public static final Field S1_COR         = L1.bits   ("S1COR",         5,  4, CACHEABILITY);
  public static final Field S1_CSH         = L1.bits   ("S1CSH",         7,  6, SHAREABILITY);
  public static final Field S2_HWU59       = L1.bit    ("S2HWU59",       8);
  public static final Field S2_HWU60       = L1.bit    ("S2HWU60",       9);
  public static final Field S2_HWU61       = L1.bit    ("S2HWU61",      10);
  public static final Field S2_HWU62       = L1.bit    ("S2HWU62",      11);
  public static final Field DRE            = L1.bit    ("DRE",          12);
  public static final Field CONT           = L1.bits   ("CONT",         16, 13);
  public static final Field DCP            = L1.bit    ("DCP",          17);
  public static final Field PPAR           = L1.bit    ("PPAR",         18);
  public static final Field MEV            = L1.bit    ("MEV",          19);
  public static final Field S1_PIE         = L1.bit    ("S1PIE",        24);
  public static final Field S2_FWB         = L1.bit    ("S2FWB",        25);
  public static final Field S1_MPAM        = L1.bit    ("S1MPAM",       26);
  public static final Field S1_STALLD      = L1.bit    ("S1STALLD",     27);
  public static final Field EATS           = L1.bits   ("EATS",         29, 28, EATS_NAMES);
  public static final Field STRW           = L1.bits   ("STRW",         31, 30, STREAM_WORLDS);
  public static final Field MEM_ATTR       = L1.bits   ("MemAttr",      35, 32);
  public static final Field MTCFG          = L1.bit    ("MTCFG",        36);
  public static final Field ALLOCCFG       = L1.bits   ("ALLOCCFG",     40, 37);
  public static final Field SHCFG          = L1.bits   ("SHCFG",        45, 44, SHCFGS);
  public static final Field NSCFG          = L1.bits   ("NSCFG",        47, 46);
  public static final Field PRIVCFG        = L1.bits   ("PRIVCFG",      49, 48);
  public static final Field INSTCFG        = L1.bits   ("INSTCFG",      51, 50);

  // Quadword 2, bits 191:128.
  public static final Field S2_VMID        = L2.bits   ("S2VMID",       15,  0);
  public static final Field S2_T0SZ        = L2.bits   ("S2T0SZ",       37, 32);
  public static final Field S2_SL0         = L2.bits   ("S2SL0",        39, 38);
  public static final Field S2_IR0         = L2.bits   ("S2IR0",        41, 40, CACHEABILITY);
  public static final Field S2_OR0         = L2.bits   ("S2OR0",        43, 42, CACHEABILITY);
  public static final Field S2_SH0         = L2.bits   ("S2SH0",        45, 44, SHAREABILITY);
  public static final Field S2_TG          = L2.bits   ("S2TG",         47, 46, GRANULES);
  public static final Field S2_PS          = L2.bits   ("S2PS",         50, 48, ADDRESS_SIZES);
  public static final Field S2_AA64        = L2.bit    ("S2AA64",       51);
  public static final Field S2_ENDI        = L2.bit    ("S2ENDI",       52);
  public static final Field S2_AFFD        = L2.bit    ("S2AFFD",       53);
  public static final Field S2_PTW         = L2.bit    ("S2PTW",        54);
  public static final Field S2_HD          = L2.bit    ("S2HD",         55);
  public static final Field S2_HA          = L2.bit    ("S2HA",         56);
  public static final Field S2_S           = L2.bit    ("S2S",          57);
  public static final Field S2_R           = L2.bit    ("S2R",          58);
  public static final Field S2_HAFT        = L2.bit    ("S2HAFT",       59);
  public static final Field S2_PIE         = L2.bit    ("S2PIE",        60);
  public static final Field S2_POE         = L2.bit    ("S2POE",        61);
  public static final Field DPT_VMATCH     = L2.bits   ("DPT_VMATCH",   63, 62);

  // Quadword 3, bits 255:192.
  public static final Field S2_NSW         = L3.bit    ("S2NSW",         0);
  public static final Field S2_NSA         = L3.bit    ("S2NSA",         1);
  public static final Field S2_SL0_2       = L3.bit    ("S2SL0_2",       2);
  public static final Field S2_DS          = L3.bit    ("S2DS",          3);
  public static final Field S2_TTB         = L3.address("S2TTB",        55,  4);
  public static final Field S2_SKL         = L3.bits   ("S2SKL",        62, 61);

  // Quadword 4, bits 319:256.
  public static final Field PARTID         = L4.bits   ("PARTID",       31, 16);
  public static final Field S_S2_T0SZ      = L4.bits   ("S_S2T0SZ",     37, 32);
  public static final Field S_S2_SL0       = L4.bits   ("S_S2SL0",      39, 38);
  public static final Field S_S2_TG        = L4.bits   ("S_S2TG",       47, 46, GRANULES);
  public static final Field MECID          = L4.bits   ("MECID",        63, 48);

  // Quadword 5, bits 383:320.
  public static final Field PMG            = L5.bits   ("PMG",           7,  0);
  public static final Field MPAM_NS        = L5.bit    ("MPAM_NS",       8);
  public static final Field ASSURED_ONLY   = L5.bit    ("AssuredOnly",   9);
  public static final Field TL0            = L5.bit    ("TL0",          10);
  public static final Field TL1            = L5.bit    ("TL1",          11);
  public static final Field VMS_PTR        = L5.address("VMSPtr",       55, 12);

  // Quadword 6, bits 447:384.
  public static final Field S2_SW          = L6.bit    ("S2SW",          0);
  public static final Field S2_SA          = L6.bit    ("S2SA",          1);
  public static final Field S_S2_SL0_2     = L6.bit    ("S_S2SL0_2",     2);
  public static final Field S_S2_TTB       = L6.address("S_S2TTB",      55,  4);
  public static final Field S_S2_SKL       = L6.bits   ("S_S2SKL",      62, 61);

  // Quadword 7, bits 511:448: sixteen overlay interpretations of four bits each.
  public static final Field S2_POI         = L7.bits   ("S2POI",        63,  0);

  public static final Layout QW0 = L0.res0(58, 56).seal();
  public static final Layout QW1 = L1.software(23, 20).res0(43, 41).impdef(63, 52).seal();
  public static final Layout QW2 = L2.impdef(31, 16).seal();
  public static final Layout QW3 = L3.res0(60, 56).res0(63, 63).seal();
  public static final Layout QW4 = L4.impdef(15, 0).res0(45, 40).seal();
  public static final Layout QW5 = L5.res0(63, 56).seal();
  public static final Layout QW6 = L6.res0(3, 3).res0(60, 56).res0(63, 63).seal();
  public static final Layout QW7 = L7.seal();
  // spotless:on

  /// The eight quadwords in memory order.
  public static final List<Layout> ENTRY = List.of(QW0, QW1, QW2, QW3, QW4, QW5, QW6, QW7);

  private SteLayout() {}
}
