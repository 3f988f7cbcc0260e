package dev.doorbell.hw.vtd;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// The registers of a remapping unit that say how its tables are read.
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 11.4.4.2 GSTS_REG, 11.4.5 RTADDR_REG, 11.4.8 IRTA_REG.
public final class VtdRegisters {
  /// RTADDR_REG.TTM: root and context entries of 16 bytes.
  public static final int TTM_LEGACY = 0b00;

  /// RTADDR_REG.TTM: context entries of 32 bytes, and PASID tables.
  public static final int TTM_SCALABLE = 0b01;

  private static final ValueNames MODES =
      ValueNames.of(0b00, "legacy", 0b01, "scalable", 0b10, "reserved", 0b11, "abort DMA");
  private static final Layout G = Layout.lsb0("GSTS_REG", 4);
  private static final Layout R = Layout.lsb0("RTADDR_REG", 8);
  private static final Layout I = Layout.lsb0("IRTA_REG", 8);

  // spotless:off
  public static final Field TES   = G.bit    ("TES",   31);
  public static final Field RTPS  = G.bit    ("RTPS",  30);
  public static final Field QIES  = G.bit    ("QIES",  26);
  public static final Field IRES  = G.bit    ("IRES",  25);
  public static final Field IRTPS = G.bit    ("IRTPS", 24);
  public static final Field CFIS  = G.bit    ("CFIS",  23);
  public static final Field RTA   = R.address("RTA",   63, 12);
  public static final Field TTM   = R.bits   ("TTM",   11, 10, MODES);
  public static final Field IRTA  = I.address("IRTA",  63, 12);
  public static final Field EIME  = I.bit    ("EIME",  11);
  public static final Field SIZE  = I.bits   ("S",      3, 0);
  // spotless:on

  public static final Layout GSTS = G.software(29, 27).res0(22, 0).seal();
  public static final Layout RTADDR = R.res0(9, 0).seal();
  public static final Layout IRTA_REG = I.res0(10, 4).seal();

  private VtdRegisters() {}
}
