package dev.doorbell.vmsa;

import dev.doorbell.iommu.Protection;

/// What single entries of a radix tree of tables look like. The tree's shape is a {@link VmsaGeometry}: tables of entries of 8 bytes, the last
/// level numbered 3. Pure: no method has an effect, and none allocates where the hardware's hot path would look.
public interface TableFormat {
  /// Arm's descriptors (DDI 0487).
  TableFormat VMSA =
      new TableFormat() {
        @Override
        public boolean isLeaf(long word, int level) {
          return Descriptors.isLeaf(word, level);
        }

        @Override
        public boolean isTable(long word, int level) {
          return Descriptors.isTable(word, level);
        }

        @Override
        public long address(VmsaGeometry g, long word) {
          return Descriptors.address(g, word);
        }

        @Override
        public long leaf(VmsaGeometry g, int level, long pa, Protection protection) {
          return Descriptors.leaf(g, level, pa, protection);
        }

        @Override
        public long table(VmsaGeometry g, long pa) {
          return Descriptors.table(g, pa);
        }

        @Override
        public long rebase(VmsaGeometry g, long block, int level, long pa) {
          return Descriptors.rebase(g, level, block, pa);
        }
      };

  /// {@return whether an entry maps a block or page}
  boolean isLeaf(long word, int level);

  /// {@return whether an entry leads to a table of the next level}
  boolean isTable(long word, int level);

  /// {@return the address in an entry}
  long address(VmsaGeometry g, long word);

  /// {@return an entry that maps a block or page}
  long leaf(VmsaGeometry g, int level, long pa, Protection protection);

  /// {@return an entry that leads to a table}
  long table(VmsaGeometry g, long pa);

  /// {@return a block of one level up as a block or page of this level, with another address}
  long rebase(VmsaGeometry g, long block, int level, long pa);

  /// {@return whether an entry of this level may map a block or page}
  default boolean leafAllowed(VmsaGeometry g, int level) {
    return g.leafAllowed(level);
  }
}
