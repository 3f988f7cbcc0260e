package dev.doorbell.vmsa;

import dev.doorbell.iommu.Protection;

/// Writes and reads single descriptors for one geometry. Allocates only for 52-bit addresses.
///
/// Memory attributes at stage 1 are indexes into {@link #MAIR}; the user of the tables must program that value.
///
/// **Source** DDI 0487 D8.3.1, D8.4.2 (AP, S2AP), D8.6 (attributes); IHI 0070 5.4 CD.MAIR.
public final class Descriptors {
  /// AttrIndx of Normal write-back memory.
  public static final int ATTR_WRITE_BACK = 1;

  /// AttrIndx of Device-nGnRE memory.
  public static final int ATTR_DEVICE = 2;

  /// The attribute bytes that the indexes mean: 0 Normal non-cacheable (44h), 1 Normal write-back (FFh), 2 Device-nGnRE (04h).
  public static final long MAIR = 0x04ff44;

  private Descriptors() {}

  /// {@return a block or page}
  ///
  /// Accesses without read permission are not expressible at stage 1, where a writable page is readable too; stage 2 can say
  /// write-only. Device memory is never executable.
  static long leaf(VmsaGeometry g, int level, long pa, Protection protection) {
    long word = g.stage() == Stage.STAGE1 ? stage1(protection) : stage2(protection);
    word |= level == VmsaGeometry.LAST_LEVEL ? DescriptorLayout.TABLE.place(1) : 0;
    return withAddress(g, word | DescriptorLayout.VALID.place(1), pa);
  }

  /// {@return a table descriptor}
  static long table(VmsaGeometry g, long pa) {
    return withAddress(
        g, DescriptorLayout.TABLE_VALID.place(1) | DescriptorLayout.TABLE_TYPE.place(1), pa);
  }

  /// {@return a block of one level up as a block or page of this level, with another address}
  static long rebase(VmsaGeometry g, int level, long block, long pa) {
    long word = DescriptorLayout.TABLE.with(block, level == VmsaGeometry.LAST_LEVEL ? 1 : 0);
    return withAddress(g, word, pa);
  }

  /// {@return whether a descriptor points to a table of the next level}
  static boolean isTable(long word, int level) {
    return level < VmsaGeometry.LAST_LEVEL
        && DescriptorLayout.VALID.isSet(word)
        && DescriptorLayout.TABLE.isSet(word);
  }

  /// {@return whether a descriptor is a block or page}
  static boolean isLeaf(long word, int level) {
    return DescriptorLayout.VALID.isSet(word)
        && DescriptorLayout.TABLE.isSet(word) == (level == VmsaGeometry.LAST_LEVEL);
  }

  /// {@return the address in a descriptor, with the bits that a granule leaves RES0 taken as zero}
  static long address(VmsaGeometry g, long word) {
    return wide(g)
        ? DescriptorLayout.ADDRESS_51_16.get(word)
        : g.granule().alignDown(DescriptorLayout.OUTPUT_ADDRESS.get(word));
  }

  private static long withAddress(VmsaGeometry g, long word, long pa) {
    if (!wide(g)) {
      return DescriptorLayout.OUTPUT_ADDRESS.with(word, pa);
    }
    long[] one = {word};
    DescriptorLayout.ADDRESS_51_16.set(one, pa);
    return one[0];
  }

  private static boolean wide(VmsaGeometry g) {
    return g.outputBits() > 48;
  }

  private static long stage1(Protection p) {
    return DescriptorLayout.AF.place(1)
        | DescriptorLayout.NG.place(1)
        | DescriptorLayout.AP.place(
            p.write() ? DescriptorLayout.AP_READ_WRITE : DescriptorLayout.AP_READ_ONLY)
        | DescriptorLayout.SH.place(
            p.device() ? DescriptorLayout.SH_OUTER : DescriptorLayout.SH_INNER)
        | DescriptorLayout.ATTR_INDX.place(p.device() ? ATTR_DEVICE : ATTR_WRITE_BACK)
        | DescriptorLayout.PXN.place(p.device() ? 1 : 0)
        | DescriptorLayout.UXN.place(p.device() ? 1 : 0);
  }

  private static long stage2(Protection p) {
    int access =
        (p.read() ? DescriptorLayout.S2AP_READ : 0) | (p.write() ? DescriptorLayout.S2AP_WRITE : 0);
    return DescriptorLayout.S2_AF.place(1)
        | DescriptorLayout.S2_AP.place(access)
        | DescriptorLayout.S2_SH.place(
            p.device() ? DescriptorLayout.SH_OUTER : DescriptorLayout.SH_INNER)
        | DescriptorLayout.S2_MEM_ATTR.place(
            p.device()
                ? DescriptorLayout.MEM_ATTR_DEVICE_NGNRE
                : DescriptorLayout.MEM_ATTR_WRITE_BACK)
        | DescriptorLayout.S2_XN.place(p.device() ? DescriptorLayout.XN_ALL : 0);
  }
}
