package dev.doorbell.hw.riscviommu;

import java.util.BitSet;

/// How a driver is set up.
///
/// @param tags the numbers shared by all IOMMUs of the machine
/// @param polls how many register reads a wait lasts at most
public record RiscvIommuSettings(Tags tags, int polls) {
  private static final int POLLS = 1_000_000;

  /// {@return the usual: a million reads}
  public static RiscvIommuSettings usual() {
    return new RiscvIommuSettings(new Tags(), POLLS);
  }

  /// PSCIDs of all IOMMUs of one machine: an address space has the same on every IOMMU that it is attached to. Safe for use from many threads.
  public static final class Tags {
    private static final int FIRST = 1;

    private final BitSet taken = new BitSet();

    /// {@return the lowest free number, now taken}
    ///
    /// @throws RiscvIommuUnsupported when all are taken
    synchronized int take(String iommu) {
      int tag = taken.nextClearBit(FIRST);
      if (tag > DirectoryLayout.TA_PSCID.max()) {
        throw new RiscvIommuUnsupported(iommu, "PSCID", tag, "and it has 20 bits");
      }
      taken.set(tag);
      return tag;
    }

    synchronized void giveBack(int tag) {
      taken.clear(tag);
    }
  }
}
