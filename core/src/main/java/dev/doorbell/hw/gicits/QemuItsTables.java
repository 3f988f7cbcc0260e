package dev.doorbell.hw.gicits;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// The ITS tables in the format named `qemu`. The architecture leaves the format to the implementation; this is the one that QEMU's
/// emulated ITS has, and Doorbell's own model has the same.
///
/// **Shape.** Little-endian. Device table entry (DTE) 8 bytes. Collection table entry (CTE) 8 bytes. Interrupt translation entry (ITE)
/// 12 bytes, three words; the ITT starts at a multiple of 256 bytes. An entry's first word holds its valid bit and is written last
/// when an entry becomes valid. Source: `lab-captures/README.md`; QEMU 7.2 to 11.1.
public final class QemuItsTables {
  public static final String NAME = "qemu";
  public static final int DTE_BYTES = 8;
  public static final int CTE_BYTES = 8;
  public static final int ITE_BYTES = 12;

  /// Offsets of an ITE's words.
  public static final int ITE_WORD0 = 0;

  public static final int ITE_WORD1 = 4;
  public static final int ITE_WORD2 = 8;

  /// What the doorbell word of a physical interrupt holds: no interrupt.
  public static final int NO_DOORBELL = 1023;

  private static final Layout DTE_L = Layout.lsb0("DTE", 8);
  private static final Layout CTE_L = Layout.lsb0("CTE", 8);
  private static final Layout ITE0_L = Layout.lsb0("ITE[0]", 4);
  private static final Layout ITE1_L = Layout.lsb0("ITE[1]", 4);
  private static final Layout ITE2_L = Layout.lsb0("ITE[2]", 4);

  // spotless:off
  public static final Field DTE_VALID    = DTE_L.bit ("Valid",           0);
  /// Bits of an EventID, minus one.
  public static final Field DTE_SIZE     = DTE_L.bits("Size",            5, 1);
  /// The ITT's address divided by 256.
  public static final Field DTE_ITT      = DTE_L.bits("ITT_addr[51:8]", 49, 6);
  public static final Layout DTE         = DTE_L.res0(63, 50).seal();

  public static final Field CTE_VALID    = CTE_L.bit ("Valid",   0);
  /// The target's processor number (GITS_TYPER.PTA is 0).
  public static final Field CTE_RDBASE   = CTE_L.bits("RDbase", 16, 1);
  public static final Layout CTE         = CTE_L.res0(63, 17).seal();

  public static final Field ITE_VALID    = ITE0_L.bit ("Valid",    0);
  /// 1 for a physical interrupt, 0 for a virtual one (GICv4).
  public static final Field ITE_PHYSICAL = ITE0_L.bit ("IntType",  1);
  public static final Field ITE_INTID    = ITE0_L.bits("INTID",   25, 2);
  public static final Layout ITE_0       = ITE0_L.res0(31, 26).seal();

  public static final Field ITE_ICID     = ITE1_L.bits("ICID",    15,  0);
  public static final Field ITE_VPEID    = ITE1_L.bits("vPEID",   31, 16);
  public static final Layout ITE_1       = ITE1_L.seal();

  public static final Field ITE_DOORBELL = ITE2_L.bits("Doorbell", 23, 0);
  public static final Layout ITE_2       = ITE2_L.res0(31, 24).seal();
  // spotless:on

  private QemuItsTables() {}

  /// {@return the address of a device's ITT, from its DTE}
  public static long ittAddress(long dte) {
    return DTE_ITT.get(dte) << 8;
  }

  /// {@return a DTE's field for an ITT at an address}
  public static long placeItt(long address) {
    return DTE_ITT.place(address >>> 8);
  }
}
