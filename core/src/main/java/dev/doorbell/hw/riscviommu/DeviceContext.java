package dev.doorbell.hw.riscviommu;

import org.jspecify.annotations.Nullable;

/// A device context as the model has fetched and checked it. Immutable.
///
/// @param deviceId whose it is
/// @param tc `tc`
/// @param processes its process directory, or null where there is none
/// @param firstMode `fsc.MODE` of the device, or of one of its processes; Bare where there is a process directory
/// @param firstRoot address of the first stage's root table; a guest physical one where the second stage translates
/// @param secondMode `iohgatp.MODE`
/// @param secondRoot address of the second stage's root table
/// @param gscid `GSCID`
/// @param pscid `PSCID` of the first stage
/// @param space the cache's number of the PSCID
/// @param msiTable address of the MSI page table, or -1 where there is none
/// @param msiMask `msi_addr_mask`
/// @param msiPattern `msi_addr_pattern`
/// @param process `ta` of the process context whose first stage this is, or 0
/// @param root where the guest's page lies that the context names
record DeviceContext(
    int deviceId,
    long tc,
    @Nullable ProcessDirectory processes,
    int firstMode,
    long firstRoot,
    int secondMode,
    long secondRoot,
    int gscid,
    int pscid,
    int space,
    long msiTable,
    long msiMask,
    long msiPattern,
    long process,
    GuestRoot root) {
  /// Where the second stage has the page of the first table, or of the process directory, that a device's context names: an IOMMU may find that out
  /// once, and keep it with the context (7.3.1).
  static final class GuestRoot {
    private static final long UNKNOWN = -1;

    private volatile long page = UNKNOWN;

    boolean isKnown() {
      return page != UNKNOWN;
    }

    long page() {
      return page;
    }

    void set(long pa) {
      page = pa;
    }
  }

  /// {@return this with the first stage of one of its processes}
  ///
  /// @param number the cache's one of its PSCID
  /// @param ta of its context
  DeviceContext withFirst(int mode, long table, int number, long ta) {
    return new DeviceContext(
        deviceId,
        tc,
        processes,
        mode,
        table,
        secondMode,
        secondRoot,
        gscid,
        ProcessLayout.TA_PSCID.getInt(ta),
        number,
        msiTable,
        msiMask,
        msiPattern,
        ta,
        root);
  }

  /// {@return the second stage alone, as accesses take it whose addresses are a guest's}
  DeviceContext withoutFirst() {
    return withFirst(DirectoryLayout.BARE, 0, 0, 0);
  }

  /// {@return address of the page that the context names: of the first stage's root table, or of the process directory}
  long namedPage() {
    return processes == null ? firstRoot : processes.root();
  }

  boolean hasFirst() {
    return firstMode != DirectoryLayout.BARE;
  }

  boolean hasSecond() {
    return secondMode != DirectoryLayout.BARE;
  }

  boolean quiet() {
    return DirectoryLayout.TC_DTF.isSet(tc);
  }

  /// {@return whether an address is one of a guest's interrupt files}
  ///
  /// **Source**: RISC-V IOMMU Architecture 1.0, 2.1.3.7 and 2.1.3.8.
  boolean isMsi(long gpa) {
    return msiTable >= 0 && ((DirectoryLayout.ppn(gpa) ^ msiPattern) & ~msiMask) == 0;
  }

  /// {@return base 2 logarithm of the range around an address that is translated alike: it ends where a guest's interrupt files begin, whatever page of the second stage
  /// these lie in}
  ///
  /// @param shift of the range, aligned to its size, that page tables translate alike
  int besideFiles(long gpa, int shift) {
    int out = shift;
    long differs = (DirectoryLayout.ppn(gpa) ^ msiPattern) & ~msiMask;
    while (msiTable >= 0
        && out > DirectoryLayout.PAGE_SHIFT
        && differs >>> (out - DirectoryLayout.PAGE_SHIFT) == 0) {
      out = Math.max(DirectoryLayout.PAGE_SHIFT, out - SvPteLayout.BITS_PER_LEVEL);
    }
    return out;
  }
}
