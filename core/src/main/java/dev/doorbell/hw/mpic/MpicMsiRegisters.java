package dev.doorbell.hw.mpic;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// One bank of message interrupts. Registers are big-endian words; bit 0 is the least significant of the value that a CPU sees.
///
/// A function's datum is little-endian: its lowest byte is the register's highest. So MSIIR's datum is SRS above five bits of IBS, and
/// MSIIR1's five bits of IBS above four of SRS.
public final class MpicMsiRegisters {
  public static final long BYTES = 0x200;

  /// Offset of MSIIR and MSIIR1 in the page in which later chips repeat them.
  public static final long ALIAS = 0x140;

  /// Interrupts of an MSIR.
  public static final int PER_REGISTER = 32;

  public static final int REGISTERS = 8;
  public static final int WIDE_REGISTERS = 16;

  private static final Layout MSIR_L = Layout.lsb0("MSIR", 4);
  private static final Layout MSISR_L = Layout.lsb0("MSISR", 4);
  private static final Layout MSIIR_L = Layout.lsb0("MSIIR", 4);
  private static final Layout MSIIR1_L = Layout.lsb0("MSIIR1", 4);

  // spotless:off
  public static final Field SH            = MSIR_L.bits ("SH",   31,  0);
  public static final Layout MSIR_LAYOUT  = MSIR_L.seal();

  public static final Field SN            = MSISR_L.bits("S",    15,  0);
  public static final Layout MSISR_LAYOUT = MSISR_L.res0(31, 16).seal();

  public static final Field SRS           = MSIIR_L.bits("SRS",  31, 29);
  public static final Field IBS           = MSIIR_L.bits("IBS",  28, 24);
  public static final Layout MSIIR_LAYOUT = MSIIR_L.res0(23, 0).seal();

  public static final Field IBS1_LOW       = MSIIR1_L.bits("IBS[3:0]", 31, 28);
  public static final Field SRS1           = MSIIR1_L.bits("SRS",      27, 24);
  public static final Field IBS1_HIGH      = MSIIR1_L.bit ("IBS[4]",       16);
  public static final Layout MSIIR1_LAYOUT = MSIIR1_L.res0(23, 17).res0(15, 0).seal();

  private static final RegisterMap.Builder B = RegisterMap.named("MPIC MSI bank", BYTES);
  public static final Register MSIR   = B.array   ("MSIR",   0x000, WIDE_REGISTERS, 0x10, Access.RO, MSIR_LAYOUT);
  public static final Register MSISR  = B.register("MSISR",  0x120, Access.RO, MSISR_LAYOUT);
  public static final Register MSIIR  = B.register("MSIIR",  0x140, Access.WO, MSIIR_LAYOUT);
  public static final Register MSIIR1 = B.register("MSIIR1", 0x148, Access.WO, MSIIR1_LAYOUT);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  private static final int WIDE_SRS = 16;

  private MpicMsiRegisters() {}

  /// {@return a function's datum as the register takes it, or the other way round}
  public static long swapped(long word) {
    return Integer.toUnsignedLong(Integer.reverseBytes((int) word));
  }

  /// {@return the number of the MSIR of an interrupt}
  ///
  /// @param number as it is in the datum
  public static int register(int number, boolean wide) {
    return wide ? number % WIDE_SRS : number / PER_REGISTER;
  }

  /// {@return the bit of an interrupt in its MSIR}
  public static int bit(int number, boolean wide) {
    return wide ? number / WIDE_SRS : number % PER_REGISTER;
  }

  /// {@return the number of an interrupt, as it is in the datum}
  public static int number(int register, int bit, boolean wide) {
    return wide ? register + bit * WIDE_SRS : register * PER_REGISTER + bit;
  }

  /// {@return the number that a word written to MSIIR or MSIIR1 names}
  public static int named(long word, boolean wide) {
    return wide
        ? number(SRS1.getInt(word), IBS1_LOW.getInt(word) + WIDE_SRS * IBS1_HIGH.getInt(word), true)
        : number(SRS.getInt(word), IBS.getInt(word), false);
  }
}
