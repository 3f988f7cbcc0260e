package dev.doorbell.hw.imsic;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// An interrupt file: the page that takes messages, and what its hart reaches by the CSRs `siselect`, `sireg` and `stopei`.
///
/// **Source**: RISC-V Advanced Interrupt Architecture 1.0, 3.5 (memory region), 3.8 (indirectly accessed registers) and 3.10 (`stopei`).
public final class ImsicRegisters {
  private ImsicRegisters() {}

  /// Bytes of an interrupt file's page.
  public static final long BYTES = 0x1000;

  /// Identities of the largest file: 1 to 2047.
  public static final int MOST_IDENTITIES = 2047;

  /// Identities of the smallest file.
  public static final int LEAST_IDENTITIES = 63;

  /// What `siselect` holds to reach each register. The arrays have one register for 64 identities, at even numbers.
  public static final int EIDELIVERY = 0x70;

  public static final int EITHRESHOLD = 0x72;
  public static final int EIP0 = 0x80;
  public static final int EIP63 = 0xbf;
  public static final int EIE0 = 0xc0;
  public static final int EIE63 = 0xff;

  private static final Layout SET_L = Layout.lsb0("seteipnum_le", 4);
  private static final Layout SET_BE_L = Layout.lsb0("seteipnum_be", 4);
  private static final Layout DELIVERY_L = Layout.lsb0("eidelivery", 4);
  private static final Layout THRESHOLD_L = Layout.lsb0("eithreshold", 4);
  private static final Layout TOP_L = Layout.lsb0("stopei", 4);

  // spotless:off
  public static final Field SET_IDENTITY      = SET_L.bits      ("Identity",            31,  0);
  public static final Layout SET              = SET_L.seal();

  public static final Field SET_BE_IDENTITY   = SET_BE_L.bits   ("Identity, big-endian", 31,  0);
  public static final Layout SET_BE           = SET_BE_L.seal();

  public static final Field DELIVERY          = DELIVERY_L.bits ("eidelivery",          31,  0);
  public static final Layout DELIVERY_WORD    = DELIVERY_L.seal();

  public static final Field THRESHOLD         = THRESHOLD_L.bits("eithreshold",         31,  0);
  public static final Layout THRESHOLD_WORD   = THRESHOLD_L.seal();

  public static final Field TOP_PRIORITY      = TOP_L.bits      ("Interrupt priority",  10,  0);
  public static final Field TOP_IDENTITY      = TOP_L.bits      ("Interrupt identity",  26, 16);
  public static final Layout TOP              = TOP_L.res0(11, 15).res0(27, 31).seal();

  private static final RegisterMap.Builder B  = RegisterMap.named("IMSIC interrupt file", BYTES);
  public static final Register SETEIPNUM_LE   = B.register("seteipnum_le", 0x000, Access.WO, SET);
  public static final Register SETEIPNUM_BE   = B.register("seteipnum_be", 0x004, Access.WO, SET_BE);
  public static final RegisterMap MAP         = B.seal();
  // spotless:on

  /// {@return what `siselect` holds to reach the array register with an identity's bit}
  ///
  /// @param first {@link #EIP0} or {@link #EIE0}
  public static int select(int first, int identity) {
    return first + identity / Long.SIZE * 2;
  }

  /// {@return an identity's bit in that register}
  public static long bit(int identity) {
    return 1L << identity;
  }
}
