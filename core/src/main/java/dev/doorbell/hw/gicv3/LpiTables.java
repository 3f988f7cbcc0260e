package dev.doorbell.hw.gicv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// The tables that GICR_PROPBASER and GICR_PENDBASER point at.
///
/// **Shape.** Configuration: one byte an LPI, the first for INTID 8192. Pending: one bit an INTID, the first for INTID 0, so that
/// the first 1 KiB belongs to no LPI. Source: IHI 0069 H, 5.1.1 and 5.1.2.
public final class LpiTables {
  /// The first LPI's INTID.
  public static final int FIRST_LPI = 8192;

  /// Smallest and largest number of INTID bits that a GIC with LPIs has.
  public static final int MIN_ID_BITS = 14;

  public static final int MAX_ID_BITS = 24;

  private static final Layout CONFIG_L = Layout.lsb0("LPI configuration", 1);

  // spotless:off
  public static final Field ENABLE   = CONFIG_L.bit    ("Enable",    0);
  /// Bits 7:2 of an eight-bit priority, kept in place: values are priorities.
  public static final Field PRIORITY = CONFIG_L.address("Priority",  7, 2);
  /// RES1 until FEAT_GICv3_NMI gave the bit a meaning.
  public static final Layout CONFIG  = CONFIG_L.res1(1, 1).seal();
  // spotless:on

  private LpiTables() {}

  /// {@return offset of an LPI's byte in the configuration table}
  public static long configOffset(int intid) {
    return (long) intid - FIRST_LPI;
  }

  /// {@return bytes of a configuration table for INTIDs of some bits}
  public static long configBytes(int idBits) {
    return (1L << idBits) - FIRST_LPI;
  }

  /// {@return offset of the byte that holds an INTID's bit in the pending table}
  public static long pendingOffset(int intid) {
    return Integer.toUnsignedLong(intid) >>> 3;
  }

  /// {@return an INTID's bit in its byte of the pending table}
  public static int pendingBit(int intid) {
    return 1 << (intid & 7);
  }

  /// {@return bytes of a pending table for INTIDs of some bits}
  public static long pendingBytes(int idBits) {
    return 1L << (idBits - 3);
  }
}
