package dev.doorbell.qemu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// The host bridge of a Q35 chipset (8086:29c0, function 00:00.0): where its ECAM window lies.
///
/// **Source**: Intel 3 Series Express Chipset Family datasheet (316966-002), 5.1.20 (PCIEXBAR).
public final class Q35Layout {
  private static final Layout L = Layout.lsb0("PCIEXBAR", 8);

  /// PCIEXBAR's offset in configuration space.
  public static final int PCIEXBAR = 0x60;

  // spotless:off
  /// The base's bits; those of a window of 256 buses end at 28.
  public static final Field BASE   = L.bits("PCI Express Base Address", 35, 28);
  public static final Field BASE_128M = L.bit("128MB Base Address Mask", 27);
  public static final Field BASE_64M  = L.bit("64MB Base Address Mask", 26);
  /// 0b00: 256 buses.
  public static final Field LENGTH = L.bits("Length", 2, 1);
  public static final Field ENABLE = L.bit("PCIEXBAR Enable", 0);
  // spotless:on

  public static final Layout PCIEXBAR_LAYOUT = L.res0(63, 36).res0(25, 3).seal();

  private Q35Layout() {}
}
