package dev.doorbell.hw.aplic;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The control region of an interrupt domain of an APLIC.
///
/// **Source**: RISC-V AIA 1.0, 4.5 (memory-mapped control region).
public final class AplicRegisters {
  /// Bytes of the region without structures for direct delivery.
  public static final long BYTES = 0x4000;

  /// Sources that registers can name; number 0 is none.
  public static final int MOST_SOURCES = 1023;

  /// Bits of each of the registers that have one bit for a source.
  public static final int SOURCES_PER_WORD = Integer.SIZE;

  /// `sourcecfg.SM`.
  public static final int INACTIVE = 0;

  public static final int DETACHED = 1;
  public static final int EDGE1 = 4;
  public static final int EDGE0 = 5;
  public static final int LEVEL1 = 6;
  public static final int LEVEL0 = 7;

  /// Bits 31:24 of `domaincfg`, which tell the byte order.
  public static final int ORDER_VALUE = 0x80;

  private static final int WORDS = 32;
  private static final ValueNames MODES =
      ValueNames.of(
          INACTIVE,
          "Inactive",
          DETACHED,
          "Detached",
          EDGE1,
          "Edge1",
          EDGE0,
          "Edge0",
          LEVEL1,
          "Level1",
          LEVEL0,
          "Level0");

  private static final Layout DOMAIN_L = Layout.lsb0("domaincfg", 4);
  private static final Layout SOURCE_L = Layout.lsb0("sourcecfg", 4);
  private static final Layout LOW_L = Layout.lsb0("mmsiaddrcfg", 4);
  private static final Layout HIGH_L = Layout.lsb0("mmsiaddrcfgh", 4);
  private static final Layout BITS_L = Layout.lsb0("source bits", 4);
  private static final Layout NUMBER_L = Layout.lsb0("source number", 4);
  private static final Layout GENMSI_L = Layout.lsb0("genmsi", 4);
  private static final Layout TARGET_L = Layout.lsb0("target", 4);

  // spotless:off
  public static final Field ORDER         = DOMAIN_L.bits("read-only 80h", 31, 24);
  public static final Field IE            = DOMAIN_L.bit ("IE",            8);
  public static final Field DM            = DOMAIN_L.bit ("DM",            2, ValueNames.of(0, "direct", 1, "MSI"));
  public static final Field BE            = DOMAIN_L.bit ("BE",            0);
  public static final Layout DOMAIN_WORD  = DOMAIN_L.res0(1, 1).res0(7, 3).res0(23, 9).seal();

  public static final Field D             = SOURCE_L.bit ("D",            10);
  public static final Field SM            = SOURCE_L.bits("SM",            2,  0, MODES);
  public static final Layout SOURCE_WORD  = SOURCE_L.res0(9, 3).res0(31, 11).seal();

  public static final Field LOW_PPN       = LOW_L.bits   ("Low Base PPN", 31,  0);
  public static final Layout LOW_WORD     = LOW_L.seal();
  public static final Field L             = HIGH_L.bit   ("L",            31);
  public static final Field HHXS          = HIGH_L.bits  ("HHXS",         28, 24);
  public static final Field LHXS          = HIGH_L.bits  ("LHXS",         22, 20);
  public static final Field HHXW          = HIGH_L.bits  ("HHXW",         18, 16);
  public static final Field LHXW          = HIGH_L.bits  ("LHXW",         15, 12);
  public static final Field HIGH_PPN      = HIGH_L.bits  ("High Base PPN", 11, 0);
  public static final Layout HIGH_WORD    = HIGH_L.res0(19, 19).res0(23, 23).res0(30, 29).seal();

  public static final Field SOURCES       = BITS_L.bits  ("sources",      31,  0);
  public static final Layout BITS_WORD    = BITS_L.seal();
  public static final Field NUMBER        = NUMBER_L.bits("number",       31,  0);
  public static final Layout NUMBER_WORD  = NUMBER_L.seal();

  public static final Field GENMSI_HART   = GENMSI_L.bits("Hart Index",   31, 18);
  public static final Field BUSY          = GENMSI_L.bit ("Busy",         12);
  public static final Field GENMSI_EIID   = GENMSI_L.bits("EIID",         10,  0);
  public static final Layout GENMSI_WORD  = GENMSI_L.res0(11, 11).res0(17, 13).seal();

  public static final Field HART          = TARGET_L.bits("Hart Index",   31, 18);
  public static final Field GUEST         = TARGET_L.bits("Guest Index",  17, 12);
  public static final Field EIID          = TARGET_L.bits("EIID",         10,  0);
  public static final Layout TARGET_WORD  = TARGET_L.res0(11, 11).seal();

  private static final Access TARGET_BITS = Access.rw(HART.mask() | GUEST.mask() | EIID.mask());

  private static final RegisterMap.Builder B = RegisterMap.named("APLIC", BYTES);
  public static final Register DOMAINCFG   = B.register("domaincfg",   0x0000, Access.rw(IE.mask()), DOMAIN_WORD);
  public static final Register SOURCECFG   = B.array   ("sourcecfg",   0x0004, MOST_SOURCES, Access.rw(D.mask() | SM.mask()), SOURCE_WORD);
  public static final Register MMSIADDRCFG = B.register("mmsiaddrcfg", 0x1bc0, Access.RW, LOW_WORD);
  public static final Register MMSIADDRCFGH = B.register("mmsiaddrcfgh", 0x1bc4, Access.rw(~HIGH_WORD.mask(BitKind.RES0)), HIGH_WORD);
  public static final Register SMSIADDRCFG = B.register("smsiaddrcfg", 0x1bc8, Access.RW, LOW_WORD);
  public static final Register SMSIADDRCFGH = B.register("smsiaddrcfgh", 0x1bcc, Access.rw(LHXS.mask() | HIGH_PPN.mask()), HIGH_WORD);
  public static final Register SETIP       = B.array   ("setip",       0x1c00, WORDS, Access.RW, BITS_WORD);
  public static final Register SETIPNUM    = B.register("setipnum",    0x1cdc, Access.WO, NUMBER_WORD);
  public static final Register IN_CLRIP    = B.array   ("in_clrip",    0x1d00, WORDS, Access.RW, BITS_WORD);
  public static final Register CLRIPNUM    = B.register("clripnum",    0x1ddc, Access.WO, NUMBER_WORD);
  public static final Register SETIE       = B.array   ("setie",       0x1e00, WORDS, Access.RW, BITS_WORD);
  public static final Register SETIENUM    = B.register("setienum",    0x1edc, Access.WO, NUMBER_WORD);
  public static final Register CLRIE       = B.array   ("clrie",       0x1f00, WORDS, Access.WO, BITS_WORD);
  public static final Register CLRIENUM    = B.register("clrienum",    0x1fdc, Access.WO, NUMBER_WORD);
  public static final Register SETIPNUM_LE = B.register("setipnum_le", 0x2000, Access.WO, NUMBER_WORD);
  public static final Register SETIPNUM_BE = B.register("setipnum_be", 0x2004, Access.WO, NUMBER_WORD);
  public static final Register GENMSI      = B.register("genmsi",      0x3000, Access.rw(GENMSI_HART.mask() | GENMSI_EIID.mask()), GENMSI_WORD);
  public static final Register TARGET      = B.array   ("target",      0x3004, MOST_SOURCES, TARGET_BITS, TARGET_WORD);
  public static final RegisterMap MAP      = B.seal();
  // spotless:on

  private AplicRegisters() {}

  /// {@return whether a source mode follows a wire's level}
  public static boolean isLevel(int mode) {
    return mode == LEVEL1 || mode == LEVEL0;
  }

  /// {@return whether a source mode takes a low wire for active}
  public static boolean isInverted(int mode) {
    return mode == EDGE0 || mode == LEVEL0;
  }
}
