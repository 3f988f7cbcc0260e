package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.RawSmmu;
import java.util.List;

/// The memory of a guest, at the same IPA as PA, with a table of context descriptors and two sets of stage 1 tables in it, all in raw bits.
final class GuestMemory {
  static final long BASE = DriverBench.RAM + (512L << 20);
  static final long BYTES = 1 << 20;

  /// The substream that the second descriptor is for.
  static final int SUBSTREAM = 5;

  private static final int INPUT_BITS = 39;
  private static final int LOG2_CONTEXTS = 3;

  private final RawSmmu.Quadwords memory;
  private final long base;
  private final RawSmmu.Tables[] tables = new RawSmmu.Tables[2];

  GuestMemory(PlainMemory plain, long base) {
    this.base = base;
    memory =
        new RawSmmu.Quadwords() {
          @Override
          public long get(long address) {
            return plain.read64(address);
          }

          @Override
          public void put(long address, long value) {
            plain.write64(address, value);
          }
        };
    for (int i = 0; i < tables.length; i++) {
      long root = base + 0x4_0000L * (i + 1);
      tables[i] = new RawSmmu.Tables(memory, INPUT_BITS, 12, 1, root, root + 0x1_0000);
    }
    context(0, 0);
    context(SUBSTREAM, 1);
  }

  /// Lets stage 2 lead to this memory.
  void mapInto(AddressSpace below) {
    below.map(new Iova(base), new Pa(base), BYTES, Protection.READ_WRITE);
  }

  /// {@return tables 0, of accesses without a SubstreamID, or 1, of the substream}
  RawSmmu.Tables table(int which) {
    return tables[which];
  }

  /// Lets a descriptor lead to tables; its ASID is 1 more than its number.
  void context(int substream, int which) {
    RawSmmu.store(
        memory,
        base + 64L * substream,
        RawSmmu.cd(substream + 1, INPUT_BITS, 12, 4, tables[which].root()));
  }

  /// {@return the entry that the guest writes}
  SmmuGuestEntry entry() {
    return new SmmuGuestEntry(List.of(RawSmmu.steStage1(base)[0] | (long) LOG2_CONTEXTS << 59, 2L));
  }
}
