package dev.doorbell.vfio;

/// A function's regions, in VFIO's order (`include/uapi/linux/vfio.h`, `VFIO_PCI_*_REGION_INDEX`).
public enum RegionType {
  BAR0,
  BAR1,
  BAR2,
  BAR3,
  BAR4,
  BAR5,
  ROM,
  CONFIG;

  /// {@return the region of a BAR}
  ///
  /// @param bar 0 to 5
  public static RegionType ofBar(int bar) {
    if (bar < 0 || bar > 5) {
      throw new IllegalArgumentException("a function has BARs 0 to 5, not " + bar);
    }
    return values()[bar];
  }
}
