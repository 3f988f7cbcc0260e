package dev.doorbell.firmware;

/// IORTs for tests: an SMMUv3 first, and what a test adds behind it.
final class IortBytes {
  static final int SMMU = 48;
  static final int SMMU_BYTES = 68 + 20;

  /// Offset of what follows the SMMU.
  static final int AFTER = SMMU + SMMU_BYTES;

  private IortBytes() {}

  /// {@return a table of an SMMUv3 whose one mapping has these words, and of what follows}
  static Bytes table(int nodes, int revision, long[] interrupts, long[] smmuMapping) {
    Bytes b = new Bytes().u32(nodes, SMMU).u32(0);
    b.u8(4).u16(SMMU_BYTES).u8(revision).u32(0, 1, 68);
    b.u64(0x2b400000L).u32(0, 0).u64(0).u32(0).u32(interrupts).u32(0, 0);
    return b.u32(smmuMapping);
  }

  static Bytes table(int nodes) {
    return table(nodes, 1, new long[] {74, 75, 77, 76}, new long[] {0, 0, 0, 0, 0});
  }

  /// Adds a root complex of segment 0 with these mappings.
  static Bytes rootComplex(Bytes b, int revision, int limit, long[]... mappings) {
    b.u8(2).u16(36 + 20 * mappings.length).u8(revision).u32(0, mappings.length, 36);
    b.u64(1).u32(1, 0).u8(limit, 0, 0, 0);
    for (long[] m : mappings) {
      b.u32(m);
    }
    return b;
  }
}
