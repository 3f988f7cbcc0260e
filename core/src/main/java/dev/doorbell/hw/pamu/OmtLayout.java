package dev.doorbell.hw.pamu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// The operation mapping table (OMT): entries (OME) of 128 bytes, one byte (MOE) for each operation that a device can ask for. The byte says what
/// the operation becomes on the chip's interconnect. An entry's number (OMI) stands in the PAACE of a LIODN whose OTM is "indexed".
///
/// **Source**: Linux 6.12 `drivers/iommu/fsl_pamu.h`, `struct ome`, `IOE_*`, `EOE_*`.
public final class OmtLayout {
  /// Bytes of an entry, and operations that it maps.
  public static final int BYTES = 128;

  /// Entries of the table, as all drivers have it.
  public static final int ENTRIES = 16;

  /// Operations that a device asks for (IOE), by their place in an entry.
  public static final int READ = 0;

  public static final int WRITE = 1;
  public static final int EREAD0 = 2;
  public static final int EWRITE0 = 3;
  public static final int DIRECT0 = 4;
  public static final int EREAD1 = 5;
  public static final int EWRITE1 = 6;
  public static final int DIRECT1 = 7;
  public static final int RAC = 12;
  public static final int RAS = 13;
  public static final int RAD = 14;
  public static final int RAI = 15;

  /// Operations of the interconnect (EOE).
  public static final int EOE_READ = 0x00;

  public static final int EOE_WRITE = 0x01;
  public static final int EOE_LDEC = 0x10;
  public static final int EOE_LDECPE = 0x12;
  public static final int EOE_RSA = 0x16;
  public static final int EOE_RSAU = 0x17;
  public static final int EOE_READI = 0x18;
  public static final int EOE_RWNITC = 0x19;
  public static final int EOE_WCI = 0x1a;
  public static final int EOE_WWSA = 0x1b;
  public static final int EOE_WWSAO = 0x1d;
  public static final int EOE_WWSAOL = 0x1e;

  private static final int VALID = 0x80;

  private static final ValueNames EOE_NAMES =
      ValueNames.of(
          0x00, "READ", 0x01, "WRITE", 0x0c, "RAC", 0x0d, "RAS", 0x0e, "RAD", 0x0f, "RAI", 0x10,
          "LDEC", 0x11, "LDECL", 0x12, "LDECPE", 0x13, "LDECPEL", 0x14, "LDECFE", 0x15, "LDECFEL",
          0x16, "RSA", 0x17, "RSAU", 0x18, "READI", 0x19, "RWNITC", 0x1a, "WCI", 0x1b, "WWSA", 0x1c,
          "WWSAL", 0x1d, "WWSAO", 0x1e, "WWSAOL");

  private static final ValueNames IOE_NAMES =
      ValueNames.of(
          0x00, "READ", 0x81, "WRITE", 0x82, "EREAD0", 0x83, "EWRITE0", 0x84, "DIRECT0", 0x85,
          "EREAD1", 0x86, "EWRITE1", 0x87, "DIRECT1", 0x8c, "RAC", 0x8d, "RAS", 0x8e, "RAD", 0x8f,
          "RAI");

  private static final Layout MOE_L = Layout.lsb0("MOE", 1);
  private static final Layout OP_L = Layout.lsb0("PAACE immediate operations", 4);
  private static final Layout OMI_L = Layout.lsb0("PAACE indexed operations", 4);

  // spotless:off
  public static final Field V    = MOE_L.bit ("V",      7);
  public static final Field EOE  = MOE_L.bits("EOE", 6, 0, EOE_NAMES);
  public static final Layout MOE_LAYOUT = MOE_L.seal();

  public static final Field IOEA = OP_L.bits("IOEA", 31, 24, IOE_NAMES);
  public static final Field MOEA = OP_L.bits("MOEA", 23, 16);
  public static final Field IOEB = OP_L.bits("IOEB", 15,  8, IOE_NAMES);
  public static final Field MOEB = OP_L.bits("MOEB",  7,  0);
  public static final Layout OP_LAYOUT = OP_L.seal();

  public static final Field OMI  = OMI_L.bits("OMI", 15, 0);
  public static final Layout OMI_LAYOUT = OMI_L.res0(31, 16).seal();
  // spotless:on

  private OmtLayout() {}

  /// {@return an operation's code in IOEA and IOEB} That of a plain read is 0, and of all others bit 7 is set.
  public static int ioe(int operation) {
    return operation == READ ? 0 : VALID | operation;
  }

  /// {@return the byte that maps something to an operation of the interconnect}
  public static int moe(int eoe) {
    return (int) (V.place(1) | EOE.place(eoe));
  }

  /// {@return whether an operation of the interconnect answers a device's read, and changes nothing}
  public static boolean reads(int eoe) {
    return eoe == EOE_READ || eoe >= EOE_RSA && eoe <= EOE_RWNITC;
  }

  /// {@return whether an operation of the interconnect writes what the device wrote}
  public static boolean writes(int eoe) {
    return eoe == EOE_WRITE || eoe >= EOE_WCI && eoe <= EOE_WWSAOL;
  }
}
