package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.SvPteLayout.*;

import dev.doorbell.iommu.Protection;
import dev.doorbell.vmsa.TableFormat;
import dev.doorbell.vmsa.VmsaGeometry;

/// Page table entries of Sv39, Sv48 and Sv57 and of their second stages, as the driver writes them: of user privilege, accessed and dirty from the beginning.
///
/// **Source**: RISC-V Privileged Architecture 20240411, 12.4 to 12.6; RISC-V IOMMU Architecture 1.0, 2.6.
///
/// @param types whether entries say what kind of memory is behind them (Svpbmt)
record SvFormat(boolean types) implements TableFormat {
  @Override
  public boolean isLeaf(long word, int level) {
    return V.isSet(word) && SvPteLayout.isLeaf(word);
  }

  @Override
  public boolean isTable(long word, int level) {
    return level < VmsaGeometry.LAST_LEVEL && V.isSet(word) && !SvPteLayout.isLeaf(word);
  }

  @Override
  public long address(VmsaGeometry g, long word) {
    return DirectoryLayout.address(PPN.get(word));
  }

  /// A page that can be written can be read, too: the format has none for writing only.
  @Override
  public long leaf(VmsaGeometry g, int level, long pa, Protection protection) {
    return V.mask()
        | R.mask()
        | (protection.write() ? W.mask() | D.mask() : 0)
        | U.mask()
        | A.mask()
        | PBMT.place(protection.device() && types ? PBMT_IO : 0)
        | PPN.place(DirectoryLayout.ppn(pa));
  }

  @Override
  public long table(VmsaGeometry g, long pa) {
    return V.mask() | PPN.place(DirectoryLayout.ppn(pa));
  }

  @Override
  public long rebase(VmsaGeometry g, long block, int level, long pa) {
    return PPN.with(block, DirectoryLayout.ppn(pa));
  }
}
