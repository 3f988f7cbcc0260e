package dev.doorbell.hw.riscviommu;

import java.util.BitSet;

/// How a driver is set up.
///
/// @param tags the numbers shared by all IOMMUs of the machine
/// @param secondStage whether domains are second-stage tables (Sv39x4 to Sv57x4), as a guest's memory is mapped, and not first-stage ones
/// @param polls how many register reads a wait lasts at most
public record RiscvIommuSettings(Tags tags, boolean secondStage, int polls) {
  private static final int POLLS = 1_000_000;

  /// {@return the usual: first stages, and a million reads}
  public static RiscvIommuSettings usual() {
    return new RiscvIommuSettings(new Tags(), false, POLLS);
  }

  /// {@return the same with second stages}
  public RiscvIommuSettings withSecondStage() {
    return new RiscvIommuSettings(tags, true, polls);
  }

  /// PSCIDs and GSCIDs of all IOMMUs of one machine: an address space has the same on every IOMMU that it is attached to. Safe for use from many
  /// threads.
  public static final class Tags {
    private static final int FIRST = 1;

    private final BitSet pscids = new BitSet();
    private final BitSet gscids = new BitSet();

    /// {@return the lowest free number, now taken}
    ///
    /// @throws RiscvIommuUnsupported when all are taken
    synchronized int take(String iommu, boolean second) {
      BitSet taken = second ? gscids : pscids;
      int tag = taken.nextClearBit(FIRST);
      long most = (second ? DirectoryLayout.IOHGATP_GSCID : DirectoryLayout.TA_PSCID).max();
      if (tag > most) {
        throw new RiscvIommuUnsupported(
            iommu, second ? "GSCID" : "PSCID", tag, "and the last one is %d".formatted(most));
      }
      taken.set(tag);
      return tag;
    }

    synchronized void giveBack(int tag, boolean second) {
      (second ? gscids : pscids).clear(tag);
    }
  }
}
