package dev.doorbell.hw.amdvi;

import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.irq.X86MessageLayout;
import java.util.OptionalInt;

/// Entries of one device's interrupt remapping table. The datum of a message is the entry's index; of its address nothing is looked at but the
/// range in which it lies.
final class InterruptEntriesBlock implements RemapEntries {
  private final InterruptTables tables;
  private final InterruptTable table;
  private final int[] indexes;
  private boolean freed;

  InterruptEntriesBlock(InterruptTables tables, InterruptTable table, int[] indexes) {
    this.tables = tables;
    this.table = table;
    this.indexes = indexes;
  }

  @Override
  public long address(int index) {
    return X86MessageLayout.FEE.place(X86MessageLayout.WINDOW);
  }

  @Override
  public int data(int index) {
    return (int) IrteLayout.INDEX.place(indexes[index]);
  }

  @Override
  public OptionalInt entry(int index) {
    return OptionalInt.of(indexes[index]);
  }

  @Override
  public boolean keepsMessage() {
    return true;
  }

  @Override
  public void route(int index, X86Interrupt to) {
    if (to.destination() > tables.lastDestination()) {
      throw new IllegalArgumentException(
          "%s is beyond destination 0x%x".formatted(to, tables.lastDestination()));
    }
    tables.change(table, indexes[index], table.entry(to));
  }

  @Override
  public boolean changesAtOnce() {
    return table.changesAtOnce();
  }

  /// Urgent or not is one to an IOMMU of this kind: it tells whoever runs the guest, or the log.
  @Override
  public void post(int index, PostedInterrupt to) {
    tables.post(table, indexes[index], to);
  }

  @Override
  public void block(int index) {
    tables.change(table, indexes[index], InterruptTable.Entry.OFF);
  }

  @Override
  public void free() {
    if (freed) {
      return;
    }
    for (int i = 0; i < indexes.length; i++) {
      block(i);
    }
    tables.giveBack(table, indexes);
    freed = true;
  }
}
