package dev.doorbell.hw.phb;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import java.util.List;

/// Registers of PHB3 that drivers of DMA and messages use. Big-endian, 8 bytes each; bit 0 is the most significant. Those that PHB4 has too are at the
/// same places ({@link Phb4Registers}).
///
/// **Source**: skiboot 7.1 `include/phb3-regs.h`.
public final class Phb3Registers {
  public static final long BYTES = 0x1000;

  private static final Layout WORD_L = Layout.msb0("PHB3 word", 8);
  private static final Layout IVT_L = Layout.msb0("PHB_IVT_BAR", 8);
  private static final Layout RBA_L = Layout.msb0("PHB_RBA_BAR", 8);
  private static final Layout CONTROL_L = Layout.msb0("PHB_CONTROL", 8);
  private static final Layout CONFIG_L = Layout.msb0("PHB_PHB3_CONFIG", 8);
  private static final Layout RTT_L = Layout.msb0("PHB3 PHB_RTT_BAR", 8);
  private static final Layout PELTV_L = Layout.msb0("PHB3 PHB_PELTV_BAR", 8);
  private static final Layout PEST_L = Layout.msb0("PHB3 PHB_PEST_BAR", 8);
  private static final Layout KILL_L = Layout.msb0("PHB3 PHB_TCE_KILL", 8);
  private static final Layout IODA_L = Layout.msb0("PHB3 PHB_IODA_ADDR", 8);
  private static final Layout FFI_L = Layout.msb0("PHB_FFI_REQUEST", 8);
  private static final Layout LOCK_L = Layout.msb0("PHB_FFI_LOCK", 8);
  private static final Layout INVALIDATE_L = Layout.msb0("PHB_IVC_INVALIDATE", 8);
  private static final Layout UPDATE_L = Layout.msb0("PHB_IVC_UPDATE", 8);

  // spotless:off
  public static final Field WORD              = WORD_L.bits("value", 0, 63);
  public static final Layout WORD_LAYOUT      = WORD_L.seal();

  public static final Field IVT_ENABLE        = IVT_L.bit    ("ENABLE",        0);
  public static final Field IVT_BASE          = IVT_L.address("BASE_ADDRESS", 14, 48);
  public static final Field IVT_LENGTH        = IVT_L.bits   ("LENGTH",       52, 63);
  public static final Layout IVT_LAYOUT       = IVT_L.res0(1, 13).res0(49, 51).seal();

  public static final Field RBA_ENABLE        = RBA_L.bit    ("ENABLE",        0);
  public static final Field RBA_BASE          = RBA_L.address("BASE_ADDRESS", 14, 55);
  public static final Layout RBA_LAYOUT       = RBA_L.res0(1, 13).res0(56, 63).seal();

  public static final Field TCE64_EN          = CONFIG_L.bit("64B_TCE_EN",    2);
  public static final Field MSI32_EN          = CONFIG_L.bit("32BIT_MSI_EN",  8);
  public static final Field MSI64_EN          = CONFIG_L.bit("64BIT_MSI_EN", 14);
  public static final Field M32_EN            = CONFIG_L.bit("M32_EN",       16);
  public static final Layout CONFIG_LAYOUT    = CONFIG_L.impdef(0, 1).impdef(3, 7).impdef(9, 13).impdef(15, 15).impdef(17, 63).seal();

  public static final Field RTT_ENABLE        = RTT_L.bit    ("ENABLE",        0);
  public static final Field RTT_BASE          = RTT_L.address("BASE_ADDRESS", 14, 46);
  public static final Layout RTT_LAYOUT       = RTT_L.res0(1, 13).res0(47, 63).seal();

  public static final Field PELTV_ENABLE      = PELTV_L.bit    ("ENABLE",        0);
  public static final Field PELTV_BASE        = PELTV_L.address("BASE_ADDRESS", 14, 50);
  public static final Layout PELTV_LAYOUT     = PELTV_L.res0(1, 13).res0(51, 63).seal();

  public static final Field PEST_ENABLE       = PEST_L.bit    ("ENABLE",        0);
  public static final Field PEST_BASE         = PEST_L.address("BASE_ADDRESS", 14, 51);
  public static final Layout PEST_LAYOUT      = PEST_L.res0(1, 13).res0(52, 63).seal();

  public static final Field KILL_ALL          = KILL_L.bit("ALL", 0);
  public static final Layout KILL_LAYOUT      = KILL_L.impdef(1, 63).seal();

  public static final Field IODA_AUTOINC      = IODA_L.bit ("AUTOINC",      0);
  public static final Field IODA_TSEL         = IODA_L.bits("TSEL",    11, 15);
  public static final Field IODA_TADR         = IODA_L.bits("TADR",    55, 63);
  public static final Layout IODA_LAYOUT      = IODA_L.res0(1, 10).res0(16, 54).seal();

  public static final Field FFI_LOCK_CLEAR    = FFI_L.bit ("LOCK_CLEAR",     3);
  public static final Field FFI_ISN           = FFI_L.bits("ISN",       49, 59);
  public static final Layout FFI_LAYOUT       = FFI_L.res0(0, 2).res0(4, 48).res0(60, 63).seal();

  public static final Field LOCK_STATE        = LOCK_L.bit("STATE", 0);
  public static final Layout LOCK_LAYOUT      = LOCK_L.impdef(1, 63).seal();

  public static final Field INVALIDATE_ALL    = INVALIDATE_L.bit ("ALL",       0);
  public static final Field INVALIDATE_SID    = INVALIDATE_L.bits("SID",  16, 31);
  public static final Layout INVALIDATE_LAYOUT = INVALIDATE_L.res0(1, 15).res0(32, 63).seal();

  public static final Field UPDATE_P          = UPDATE_L.bit ("ENABLE_P",       0);
  public static final Field UPDATE_Q          = UPDATE_L.bit ("ENABLE_Q",       1);
  public static final Field UPDATE_SERVER     = UPDATE_L.bit ("ENABLE_SERVER",  2);
  public static final Field UPDATE_PRI        = UPDATE_L.bit ("ENABLE_PRI",     3);
  public static final Field UPDATE_GEN        = UPDATE_L.bit ("ENABLE_GEN",     4);
  public static final Field UPDATE_CON        = UPDATE_L.bit ("ENABLE_CON",     5);
  public static final Field GEN_MATCH         = UPDATE_L.bits("GEN_MATCH",   6,  7);
  public static final Field SERVER            = UPDATE_L.bits("SERVER",      8, 23);
  public static final Field PRI               = UPDATE_L.bits("PRI",        24, 31);
  public static final Field GEN               = UPDATE_L.bits("GEN",        32, 33);
  public static final Field P                 = UPDATE_L.bit ("P",              34);
  public static final Field Q                 = UPDATE_L.bit ("Q",              35);
  public static final Field SID               = UPDATE_L.bits("SID",        48, 63);
  public static final Layout UPDATE_LAYOUT    = UPDATE_L.res0(36, 47).seal();

  public static final Field IVE_128_BYTES     = CONTROL_L.bit("IVE_128_BYTES", 24);
  public static final Layout CONTROL_LAYOUT   = CONTROL_L.impdef(0, 23).impdef(25, 63).seal();

  private static final RegisterMap.Builder B = RegisterMap.named("PHB3", BYTES);
  public static final Register CPU_LOADSTORE_STATUS = B.register("PHB_CPU_LOADSTORE_STATUS", 0x120, Access.RO, Phb4Registers.STATUS_LAYOUT);
  public static final Register IVT_BAR        = B.register("PHB_IVT_BAR",        0x150, Access.RW, IVT_LAYOUT);
  public static final Register RBA_BAR        = B.register("PHB_RBA_BAR",        0x158, Access.RW, RBA_LAYOUT);
  public static final Register CONFIG         = B.register("PHB_PHB3_CONFIG",    0x160, Access.RW, CONFIG_LAYOUT);
  public static final Register RTT_BAR        = B.register("PHB_RTT_BAR",        0x168, Access.RW, RTT_LAYOUT);
  public static final Register PELTV_BAR      = B.register("PHB_PELTV_BAR",      0x188, Access.RW, PELTV_LAYOUT);
  public static final Register PEST_BAR       = B.register("PHB_PEST_BAR",       0x1a8, Access.RW, PEST_LAYOUT);
  public static final Register DMARD_SYNC     = B.register("PHB_DMARD_SYNC",     0x200, Access.RW, Phb4Registers.SYNC_LAYOUT);
  public static final Register RTC            = B.register("PHB_RTC_INVALIDATE", 0x208, Access.WO, Phb4Registers.RTC_LAYOUT);
  public static final Register TCE_KILL       = B.register("PHB_TCE_KILL",       0x210, Access.RW, KILL_LAYOUT);
  public static final Register IODA_ADDR      = B.register("PHB_IODA_ADDR",      0x220, Access.RW, IODA_LAYOUT);
  public static final Register IODA_DATA0     = B.register("PHB_IODA_DATA0",     0x228, Access.RW, WORD_LAYOUT);
  public static final Register FFI_REQUEST    = B.register("PHB_FFI_REQUEST",    0x238, Access.WO, FFI_LAYOUT);
  public static final Register FFI_LOCK       = B.register("PHB_FFI_LOCK",       0x240, Access.RO, LOCK_LAYOUT);
  public static final Register IVC_INVALIDATE = B.register("PHB_IVC_INVALIDATE", 0x2a0, Access.WO, INVALIDATE_LAYOUT);
  public static final Register IVC_UPDATE     = B.register("PHB_IVC_UPDATE",     0x2a8, Access.RW, UPDATE_LAYOUT);
  public static final Register ETU_ERR_SUMMARY = B.register("PHB_ETU_ERR_SUMMARY", 0x2c8, Access.RO, WORD_LAYOUT);
  public static final Register VERSION        = B.register("PHB_VERSION",        0x800, Access.RO, WORD_LAYOUT, 0xa3_0000_0005L);
  public static final Register CONTROL        = B.register("PHB_CONTROL",        0x810, Access.RW, CONTROL_LAYOUT);
  public static final Register LEM_FIR_ACCUM    = B.register("PHB_LEM_FIR_ACCUM",    0xc00, Access.RW, WORD_LAYOUT);
  public static final Register LEM_FIR_AND_MASK = B.register("PHB_LEM_FIR_AND_MASK", 0xc08, Access.WO, WORD_LAYOUT);
  public static final Register LEM_WOF          = B.register("PHB_LEM_WOF",          0xc40, Access.RW, WORD_LAYOUT);
  private static final List<String> PARTS = List.of("", "OUT_", "INA_", "INB_");
  public static final List<Register> ERR_STATUS = Phb4Registers.ofParts(B, PARTS, "ERR_STATUS", 0x0, Access.W1C);
  public static final List<Register> ERR1_STATUS = Phb4Registers.ofParts(B, PARTS, "ERR1_STATUS", 0x8, Access.RW);
  public static final List<Register> ERR_LOG_0 = Phb4Registers.ofParts(B, PARTS, "ERR_LOG_0", 0x40, Access.RW);
  public static final List<Register> ERR_LOG_1 = Phb4Registers.ofParts(B, PARTS, "ERR_LOG_1", 0x48, Access.RW);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  private Phb3Registers() {}
}
