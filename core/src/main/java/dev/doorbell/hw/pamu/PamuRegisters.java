package dev.doorbell.hw.pamu;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// Registers of one unit of a PAMU, 4 KiB. Bit 0 is the least significant.
public final class PamuRegisters {
  public static final long BYTES = 0x1000;

  private static final Layout WORD_L = Layout.lsb0("PAMU address", 4);
  private static final Layout POES1_L = Layout.lsb0("POES1", 4);
  private static final Layout AVS1_L = Layout.lsb0("AVS1", 4);
  private static final Layout PC2_L = Layout.lsb0("PC2", 4);
  private static final Layout PC3_L = Layout.lsb0("PC3", 4);
  private static final Layout PC_L = Layout.lsb0("PC", 4);
  private static final Layout PICS_L = Layout.lsb0("PICS", 4);
  private static final Layout PR1_L = Layout.lsb0("PR1", 4);

  // spotless:off
  public static final Field WORD         = WORD_L.bits("address", 31, 0);
  public static final Layout WORD_LAYOUT = WORD_L.seal();

  public static final Field POED         = POES1_L.bit("POED",  0);
  public static final Layout POES1_LAYOUT = POES1_L.impdef(31, 1).seal();

  public static final Field AVS1_LIODN   = AVS1_L.bits("LIODN", 31, 16);
  public static final Field AVS1_PDV     = AVS1_L.bit ("PDV",       14);
  public static final Field AVS1_GCV     = AVS1_L.bit ("GCV",       13);
  public static final Field AVS1_LAV     = AVS1_L.bits("LAV",   12, 10);
  public static final Field AVS1_WAV     = AVS1_L.bits("WAV",    9,  7);
  public static final Field AVS1_APV     = AVS1_L.bits("APV",    6,  3);
  public static final Field AVS1_OTV     = AVS1_L.bits("OTV",    2,  1);
  public static final Field AVS1_AV      = AVS1_L.bit ("AV",         0);
  public static final Layout AVS1_LAYOUT = AVS1_L.res0(15, 15).seal();

  public static final Field MLIODN       = PC2_L.bits("MLIODN", 31, 16);
  public static final Layout PC2_LAYOUT  = PC2_L.impdef(15, 0).seal();

  public static final Field MWCE         = PC3_L.bits("MWCE",   24, 21);
  public static final Layout PC3_LAYOUT  = PC3_L.impdef(31, 25).impdef(20, 0).seal();

  public static final Field PGC          = PC_L.bit("PGC",  31);
  public static final Field PE           = PC_L.bit("PE",   30);
  public static final Field OCE          = PC_L.bit("OCE",  12);
  public static final Field SPCC         = PC_L.bit("SPCC",  4);
  public static final Field PPCC         = PC_L.bit("PPCC",  0);
  public static final Layout PC_LAYOUT   = PC_L.res0(29, 13).res0(11, 5).res0(3, 1).seal();

  public static final Field AV_STATUS    = PICS_L.bit("access violation status", 3);
  public static final Field AV_ENABLE    = PICS_L.bit("access violation enable", 2);
  public static final Field POE_STATUS   = PICS_L.bit("operation error status",  1);
  public static final Field POE_ENABLE   = PICS_L.bit("operation error enable",  0);
  public static final Layout PICS_LAYOUT = PICS_L.res0(31, 4).seal();

  public static final Field VERSION      = PR1_L.bits("version", 15, 0);
  public static final Layout PR1_LAYOUT  = PR1_L.impdef(31, 16).seal();

  /// Violations, which a one clears; the LIODN stays.
  public static final long AV_MASK       = AVS1_LAYOUT.mask(BitKind.FIELD) & ~AVS1_LIODN.mask();

  private static final RegisterMap.Builder B = RegisterMap.named("PAMU", BYTES);
  public static final Register PPBAH = B.register("PPBAH", 0x000, Access.RW, WORD_LAYOUT);
  public static final Register PPBAL = B.register("PPBAL", 0x004, Access.RW, WORD_LAYOUT);
  public static final Register PPLAH = B.register("PPLAH", 0x008, Access.RW, WORD_LAYOUT);
  public static final Register PPLAL = B.register("PPLAL", 0x00c, Access.RW, WORD_LAYOUT);
  public static final Register SPBAH = B.register("SPBAH", 0x010, Access.RW, WORD_LAYOUT);
  public static final Register SPBAL = B.register("SPBAL", 0x014, Access.RW, WORD_LAYOUT);
  public static final Register SPLAH = B.register("SPLAH", 0x018, Access.RW, WORD_LAYOUT);
  public static final Register SPLAL = B.register("SPLAL", 0x01c, Access.RW, WORD_LAYOUT);
  public static final Register OBAH  = B.register("OBAH",  0x020, Access.RW, WORD_LAYOUT);
  public static final Register OBAL  = B.register("OBAL",  0x024, Access.RW, WORD_LAYOUT);
  public static final Register OLAH  = B.register("OLAH",  0x028, Access.RW, WORD_LAYOUT);
  public static final Register OLAL  = B.register("OLAL",  0x02c, Access.RW, WORD_LAYOUT);
  public static final Register POES1 = B.register("POES1", 0x040, Access.RO.andW1c(POED.mask()), POES1_LAYOUT);
  public static final Register POEAH = B.register("POEAH", 0x048, Access.RO, WORD_LAYOUT);
  public static final Register POEAL = B.register("POEAL", 0x04c, Access.RO, WORD_LAYOUT);
  public static final Register AVS1  = B.register("AVS1",  0x050, Access.RO.andW1c(AV_MASK), AVS1_LAYOUT);
  public static final Register AVAH  = B.register("AVAH",  0x058, Access.RO, WORD_LAYOUT);
  public static final Register AVAL  = B.register("AVAL",  0x05c, Access.RO, WORD_LAYOUT);
  public static final Register PR1   = B.register("PR1",   0xbf8, Access.RO, PR1_LAYOUT, 0x0100);
  public static final Register PC2   = B.register("PC2",   0xc04, Access.RO, PC2_LAYOUT);
  public static final Register PC3   = B.register("PC3",   0xc08, Access.RO, PC3_LAYOUT);
  public static final Register PC    = B.register("PC",    0xc10, Access.RW, PC_LAYOUT);
  public static final Register PICS  = B.register("PICS",  0xc1c, Access.RW.andW1c(AV_STATUS.mask() | POE_STATUS.mask()), PICS_LAYOUT);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  /// AVS1.LAV: the LIODN is beyond the PPAACT's end.
  public static final int LAV_NOT_IN_TABLE = 1;

  private PamuRegisters() {}
}
