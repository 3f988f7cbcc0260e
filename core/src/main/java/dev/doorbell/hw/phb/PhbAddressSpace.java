package dev.doorbell.hw.phb;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaAddressSpace;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaTable;
import java.util.Optional;

/// TCE tables, which the first windows of PEs lead to. All tables of a tree have one size, as a TVE states one: a page of the granule each.
///
/// With pages of 4 KiB four levels cover 48 bits; with 64 KiB two cover 42.
final class PhbAddressSpace extends VmsaAddressSpace<PhbDriver> {
  static final int MOST_BITS = 48;

  private static final int OUTPUT_BITS = 48;

  private PhbAddressSpace(VmsaTable table) {
    super(table);
  }

  /// {@return empty tables}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory
  static PhbAddressSpace create(PhysicalMemory memory, Frames frames, Granule granule) {
    VmsaGeometry geometry = VmsaGeometry.of(granule, Stage.STAGE1, bits(granule), OUTPUT_BITS);
    return new PhbAddressSpace(VmsaTable.create(geometry, new TceFormat(), memory, frames, true));
  }

  /// {@return the most bits of address that whole tables resolve}
  private static int bits(Granule granule) {
    int level = granule.shift() - Long.numberOfTrailingZeros(TceLayout.BYTES);
    return granule.shift() + (MOST_BITS - granule.shift()) / level * level;
  }

  /// {@return the TVE that leads here}
  long tve() {
    VmsaGeometry g = geometry();
    return TveLayout.tables(
        root().value(),
        VmsaGeometry.LAST_LEVEL + 1 - g.startLevel(),
        g.bitsPerLevel(),
        g.granule().shift());
  }

  @Override
  public String toString() {
    return "TCE tables at " + root();
  }

  @Override
  protected void invalidate(AddressRange range, boolean leafOnly) {
    users().forEach(PhbDriver::invalidate);
  }

  @Override
  protected Optional<Pa> look(Iova iova) {
    return aperture().contains(iova.value()) ? super.look(iova) : Optional.empty();
  }

  @Override
  protected String name(PhbDriver iommu) {
    return iommu.id();
  }
}
