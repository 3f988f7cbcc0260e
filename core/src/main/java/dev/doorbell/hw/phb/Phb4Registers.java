package dev.doorbell.hw.phb;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import java.util.ArrayList;
import java.util.List;

/// Registers of PHB4 and PHB5 that drivers of DMA and messages use. Big-endian, 8 bytes each; bit 0 is the most significant.
public final class Phb4Registers {
  public static final long BYTES = 0x1000;

  private static final long FIRST_PART = 0xc80;
  private static final long PART = 0x80;

  /// Tables in the bridge itself, as PHB_IODA_ADDR.TSEL selects them.
  public static final int MIST = 2;

  public static final int PESTA = 7;
  public static final int PESTB = 8;
  public static final int TVT = 9;
  public static final int PEEV = 20;

  private static final Layout WORD_L = Layout.msb0("PHB word", 8);
  private static final Layout STATUS_L = Layout.msb0("PHB_CPU_LOADSTORE_STATUS", 8);
  private static final Layout CONFIG_L = Layout.msb0("PHB_PHB4_CONFIG", 8);
  private static final Layout RTT_L = Layout.msb0("PHB_RTT_BAR", 8);
  private static final Layout PELTV_L = Layout.msb0("PHB_PELTV_BAR", 8);
  private static final Layout PEST_L = Layout.msb0("PHB_PEST_BAR", 8);
  private static final Layout SYNC_L = Layout.msb0("PHB_DMARD_SYNC", 8);
  private static final Layout RTC_L = Layout.msb0("PHB_RTC_INVALIDATE", 8);
  private static final Layout KILL_L = Layout.msb0("PHB_TCE_KILL", 8);
  private static final Layout IODA_L = Layout.msb0("PHB_IODA_ADDR", 8);
  private static final Layout IRQ_CAP_L = Layout.msb0("PHB_PHB4_IRQ_CAP", 8);
  private static final Layout EEH_CAP_L = Layout.msb0("PHB_PHB4_EEH_CAP", 8);
  private static final Layout CTRLR_L = Layout.msb0("PHB_CTRLR", 8);
  private static final Layout QUIESCE_L = Layout.msb0("PHB_Q_DMA_R", 8);

  // spotless:off
  public static final Field WORD            = WORD_L.bits("value", 0, 63);
  public static final Layout WORD_LAYOUT    = WORD_L.seal();

  public static final Field ANY_ERR         = STATUS_L.bit("ANY_ERR",    27);
  public static final Field ANY_ERR1        = STATUS_L.bit("ANY_ERR1",   28);
  public static final Field ANY_FREEZE      = STATUS_L.bit("ANY_FREEZE", 29);
  public static final Layout STATUS_LAYOUT  = STATUS_L.impdef(0, 26).impdef(30, 63).seal();

  public static final Field MSI32_EN        = CONFIG_L.bit("32BIT_MSI_EN",  8);
  public static final Field MSI64_EN        = CONFIG_L.bit("64BIT_MSI_EN", 14);
  public static final Layout CONFIG_LAYOUT  = CONFIG_L.impdef(0, 7).impdef(9, 13).impdef(15, 63).seal();

  public static final Field RTT_ENABLE      = RTT_L.bit    ("ENABLE",        0);
  public static final Field RTT_BASE        = RTT_L.address("BASE_ADDRESS",  8, 46);
  public static final Layout RTT_LAYOUT     = RTT_L.res0(1, 7).res0(47, 63).seal();

  public static final Field PELTV_ENABLE    = PELTV_L.bit    ("ENABLE",       0);
  public static final Field PELTV_BASE      = PELTV_L.address("BASE_ADDRESS", 8, 50);
  public static final Layout PELTV_LAYOUT   = PELTV_L.res0(1, 7).res0(51, 63).seal();

  public static final Field PEST_ENABLE     = PEST_L.bit    ("ENABLE",       0);
  public static final Field PEST_BASE       = PEST_L.address("BASE_ADDRESS", 8, 51);
  public static final Layout PEST_LAYOUT    = PEST_L.res0(1, 7).res0(52, 63).seal();

  public static final Field SYNC_START      = SYNC_L.bit("START",    0);
  public static final Field SYNC_COMPLETE   = SYNC_L.bit("COMPLETE", 1);
  public static final Layout SYNC_LAYOUT    = SYNC_L.impdef(2, 63).seal();

  public static final Field RTC_ALL         = RTC_L.bit ("ALL",      0);
  public static final Field RTC_RID         = RTC_L.bits("RID", 16, 31);
  public static final Layout RTC_LAYOUT     = RTC_L.res0(1, 15).res0(32, 63).seal();

  public static final Field KILL_ALL        = KILL_L.bit ("ALL",        0);
  public static final Field KILL_PE         = KILL_L.bit ("PE",         1);
  public static final Field KILL_ONE        = KILL_L.bit ("ONE",        2);
  public static final Field KILL_PSEL       = KILL_L.bit ("PSEL",       3);
  public static final Field KILL_PAGE       = KILL_L.bits("address",  4, 51);
  public static final Field KILL_PENUM      = KILL_L.bits("PENUM",   55, 63);
  public static final Layout KILL_LAYOUT    = KILL_L.res0(52, 54).seal();

  public static final Field IODA_AUTOINC    = IODA_L.bit ("AUTOINC",        0);
  public static final Field IODA_TSEL       = IODA_L.bits("TSEL",      11, 15);
  public static final Field IODA_MIST_PWV   = IODA_L.bits("MIST_PWV",  28, 31);
  public static final Field IODA_TADR       = IODA_L.bits("TADR",      54, 63);
  public static final Layout IODA_LAYOUT    = IODA_L.res0(1, 10).res0(16, 27).res0(32, 53).seal();

  public static final Field IRQS            = IRQ_CAP_L.bits("interrupts", 48, 63);
  public static final Layout IRQ_CAP_LAYOUT = IRQ_CAP_L.impdef(0, 47).seal();

  public static final Field PES             = EEH_CAP_L.bits("PEs", 0, 11);
  public static final Layout EEH_CAP_LAYOUT = EEH_CAP_L.impdef(12, 63).seal();

  public static final Field IRQ_PGSZ_64K    = CTRLR_L.bit("IRQ_PGSZ_64K",  11);
  public static final Field IRQ_STORE_EOI   = CTRLR_L.bit("IRQ_STORE_EOI", 12);
  public static final Field TVT_ADDR_SEL    = CTRLR_L.bits("TVT_ADDR_SEL", 17, 19);
  public static final Layout CTRLR_LAYOUT   = CTRLR_L.impdef(0, 10).impdef(13, 16).impdef(20, 63).seal();

  public static final Field TCE_KILL_STATUS = QUIESCE_L.bit("TCE_KILL_STATUS", 7);
  public static final Layout QUIESCE_LAYOUT = QUIESCE_L.impdef(0, 6).impdef(8, 63).seal();

  private static final RegisterMap.Builder B = RegisterMap.named("PHB4", BYTES);
  public static final Register CPU_LOADSTORE_STATUS = B.register("PHB_CPU_LOADSTORE_STATUS", 0x120, Access.RO, STATUS_LAYOUT);
  public static final Register CONFIG       = B.register("PHB_PHB4_CONFIG",      0x160, Access.RW, CONFIG_LAYOUT);
  public static final Register RTT_BAR      = B.register("PHB_RTT_BAR",          0x168, Access.RW, RTT_LAYOUT);
  public static final Register PELTV_BAR    = B.register("PHB_PELTV_BAR",        0x188, Access.RW, PELTV_LAYOUT);
  public static final Register PEST_BAR     = B.register("PHB_PEST_BAR",         0x1a8, Access.RW, PEST_LAYOUT);
  public static final Register DMARD_SYNC   = B.register("PHB_DMARD_SYNC",       0x200, Access.RW, SYNC_LAYOUT);
  public static final Register RTC          = B.register("PHB_RTC_INVALIDATE",   0x208, Access.WO, RTC_LAYOUT);
  public static final Register TCE_KILL     = B.register("PHB_TCE_KILL",         0x210, Access.RW, KILL_LAYOUT);
  public static final Register IODA_ADDR    = B.register("PHB_IODA_ADDR",        0x220, Access.RW, IODA_LAYOUT);
  public static final Register IODA_DATA0   = B.register("PHB_IODA_DATA0",       0x228, Access.RW, WORD_LAYOUT);
  public static final Register IRQ_CAP      = B.register("PHB_PHB4_IRQ_CAP",     0x260, Access.RO, IRQ_CAP_LAYOUT);
  public static final Register EEH_CAP      = B.register("PHB_PHB4_EEH_CAP",     0x268, Access.RO, EEH_CAP_LAYOUT);
  public static final Register ETU_ERR_SUMMARY = B.register("PHB_ETU_ERR_SUMMARY", 0x2c8, Access.RO, WORD_LAYOUT);
  public static final Register NOTIFY_ADDR  = B.register("PHB_INT_NOTIFY_ADDR",  0x300, Access.RW, WORD_LAYOUT);
  public static final Register NOTIFY_INDEX = B.register("PHB_INT_NOTIFY_INDEX", 0x308, Access.RW, WORD_LAYOUT);
  public static final Register VERSION      = B.register("PHB_VERSION",          0x800, Access.RO, WORD_LAYOUT, 0xa4_0000_0002L);
  public static final Register CTRLR        = B.register("PHB_CTRLR",            0x810, Access.RW, CTRLR_LAYOUT);
  public static final Register Q_DMA_R      = B.register("PHB_Q_DMA_R",          0x888, Access.RW, QUIESCE_LAYOUT);
  public static final Register LEM_FIR_ACCUM    = B.register("PHB_LEM_FIR_ACCUM",    0xc00, Access.RW, WORD_LAYOUT);
  public static final Register LEM_FIR_AND_MASK = B.register("PHB_LEM_FIR_AND_MASK", 0xc08, Access.WO, WORD_LAYOUT);
  public static final Register LEM_WOF          = B.register("PHB_LEM_WOF",          0xc40, Access.RW, WORD_LAYOUT);
  private static final List<String> PARTS = List.of("", "TXE_", "RXE_ARB_", "RXE_MRG_", "RXE_TCE_");
  public static final List<Register> ERR_STATUS = ofParts(B, PARTS, "ERR_STATUS", 0x0, Access.W1C);
  public static final List<Register> ERR1_STATUS = ofParts(B, PARTS, "ERR1_STATUS", 0x8, Access.RW);
  public static final List<Register> ERR_LOG_0 = ofParts(B, PARTS, "ERR_LOG_0", 0x40, Access.RW);
  public static final List<Register> ERR_LOG_1 = ofParts(B, PARTS, "ERR_LOG_1", 0x48, Access.RW);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  /// PHB_VERSION of a PHB5.
  public static final long VERSION_PHB5 = 0xa5_0000_0001L;

  /// What every register reads as while the bridge is fenced.
  public static final long FENCED = -1;

  private Phb4Registers() {}

  /// {@return a register that each part of a bridge has, in which it keeps what went wrong}
  ///
  /// @param parts what names begin with, in the order of their places
  /// @param at where it is within a part
  static List<Register> ofParts(
      RegisterMap.Builder map, List<String> parts, String name, long at, Access access) {
    List<Register> out = new ArrayList<>();
    for (String part : parts) {
      long offset = FIRST_PART + out.size() * PART + at;
      out.add(map.register("PHB_" + part + name, offset, access, WORD_LAYOUT));
    }
    return List.copyOf(out);
  }
}
