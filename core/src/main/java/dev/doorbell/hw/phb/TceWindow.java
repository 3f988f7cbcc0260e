package dev.doorbell.hw.phb;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaTable;

/// One of the two windows of PEs: the IOVAs from 0 or from 2^59 on, and the TCE tables behind them.
///
/// All tables of a window have one size, as a TVE states one: a page of the window where five levels of these reach far enough, 4 KiB at least, 64 KiB at
/// most, and larger where they do not.
///
/// @param number 0, or 1 for the one of addresses with bit 59
///
/// **Source**: Linux 6.12 `arch/powerpc/platforms/powernv/pci-ioda-tce.c` (`pnv_pci_ioda2_table_alloc_pages`: levels, and tables of one size), `pci-ioda.c`
/// (`pnv_pci_ioda2_set_window`).
record TceWindow(int number, VmsaTable table) {
  /// Bits of IOVA that a window can be asked to have: with pages of any size these tables resolve less than the 59 bits of a window.
  static final int MOST_BITS = 54;

  private static final int OUTPUT_BITS = TveLayout.REAL_ADDRESS.width();

  private static final int LARGEST_USUAL_TABLE = Granule.K64.shift();
  private static final int ENTRY_SHIFT = Long.numberOfTrailingZeros(TceLayout.BYTES);

  /// {@return a window that maps nothing}
  ///
  /// @param bits of IOVA that it covers at least, at most {@link #MOST_BITS}
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory
  static TceWindow create(
      int number, Granule page, int bits, PhysicalMemory memory, Frames frames) {
    return new TceWindow(
        number, VmsaTable.create(shape(page, bits), new TceFormat(), memory, frames, true));
  }

  /// {@return one to five levels of tables for a window}
  static VmsaGeometry shape(Granule page, int bits) {
    int entries = Math.max(bits - page.shift(), 1);
    int usual = Math.min(page.shift(), LARGEST_USUAL_TABLE) - ENTRY_SHIFT;
    int levels = Math.min(Math.ceilDiv(entries, usual), TveLayout.MOST_LEVELS + 1);
    int each = Math.max(Math.ceilDiv(entries, levels), TveLayout.LEAST_TABLE - ENTRY_SHIFT);
    return VmsaGeometry.whole(page, levels, each, OUTPUT_BITS);
  }

  /// {@return the window of an IOVA}
  static int of(long iova) {
    return TveLayout.WINDOW.getInt(iova);
  }

  private long start() {
    return TveLayout.WINDOW.place(number);
  }

  AddressRange iovas() {
    return AddressRange.ofSize(start(), table.geometry().aperture().bytes());
  }

  /// {@return an IOVA as its tables see it}
  Iova within(long iova) {
    return new Iova(iova - start());
  }

  /// {@return the TVE that leads here}
  long tve() {
    VmsaGeometry g = table.geometry();
    return TveLayout.tables(
        table.root().value(),
        VmsaGeometry.LAST_LEVEL + 1 - g.startLevel(),
        g.bitsPerLevel(),
        g.granule().shift());
  }

  @Override
  public String toString() {
    return "TCE tables of %s at %s".formatted(iovas(), table.root());
  }
}
