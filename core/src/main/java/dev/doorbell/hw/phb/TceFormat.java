package dev.doorbell.hw.phb;

import dev.doorbell.iommu.Protection;
import dev.doorbell.vmsa.TableFormat;
import dev.doorbell.vmsa.VmsaGeometry;

/// TCE tables as a tree of tables: only entries of the last level map, each one page.
record TceFormat() implements TableFormat {
  @Override
  public boolean isLeaf(long word, int level) {
    return level == VmsaGeometry.LAST_LEVEL && TceLayout.isValid(TceLayout.swapped(word));
  }

  @Override
  public boolean isTable(long word, int level) {
    return level < VmsaGeometry.LAST_LEVEL && TceLayout.isValid(TceLayout.swapped(word));
  }

  @Override
  public long address(VmsaGeometry g, long word) {
    return TceLayout.RPN.get(TceLayout.swapped(word));
  }

  @Override
  public long leaf(VmsaGeometry g, int level, long pa, Protection protection) {
    return TceLayout.swapped(
        TceLayout.RPN.get(pa)
            | TceLayout.READ.place(protection.read() ? 1 : 0)
            | TceLayout.WRITE.place(protection.write() ? 1 : 0));
  }

  /// An entry that leads on lets both pass: the last one says what may be done.
  @Override
  public long table(VmsaGeometry g, long pa) {
    return TceLayout.swapped(
        TceLayout.RPN.get(pa) | TceLayout.READ.mask() | TceLayout.WRITE.mask());
  }

  @Override
  public long rebase(VmsaGeometry g, long block, int level, long pa) {
    return TceLayout.swapped(TceLayout.RPN.with(TceLayout.swapped(block), pa));
  }

  @Override
  public boolean leafAllowed(VmsaGeometry g, int level) {
    return level == VmsaGeometry.LAST_LEVEL;
  }
}
