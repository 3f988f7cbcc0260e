package dev.doorbell.hw.riscviommu;

/// A device context as the model has fetched and checked it. Immutable.
///
/// @param deviceId whose it is
/// @param tc `tc`
/// @param firstMode `fsc.MODE`
/// @param firstRoot address of the first stage's root table; a guest physical one where the second stage translates
/// @param secondMode `iohgatp.MODE`
/// @param secondRoot address of the second stage's root table
/// @param gscid `GSCID`
/// @param space the cache's number of the PSCID
/// @param msiTable address of the MSI page table, or -1 where there is none
/// @param msiMask `msi_addr_mask`
/// @param msiPattern `msi_addr_pattern`
record DeviceContext(
    int deviceId,
    long tc,
    int firstMode,
    long firstRoot,
    int secondMode,
    long secondRoot,
    int gscid,
    int space,
    long msiTable,
    long msiMask,
    long msiPattern) {
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
}
