package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.SharedAddressSpace;
import java.util.Optional;

/// An address space that is one table. Safe for use from many threads.
///
/// At stage 1 a mapping for writing can be read too: the format has no write-only page; stage 2 has. IOMMUs of these tables keep no fault, so that a
/// new mapping needs no invalidation; one that is taken back half-way does.
///
/// @param <I> the driver of an IOMMU
public abstract class VmsaAddressSpace<I> extends SharedAddressSpace<I> {
  private final VmsaTable table;

  /// @param table empty; it goes with the address space
  protected VmsaAddressSpace(VmsaTable table) {
    this.table = table;
  }

  /// Has every IOMMU drop what it holds of a range. The lock is held.
  ///
  /// @param leafOnly whether no table was taken out
  protected abstract void invalidate(AddressRange range, boolean leafOnly);

  /// Gives back what belongs to the table.
  protected void released() {}

  public final VmsaGeometry geometry() {
    return table.geometry();
  }

  /// {@return where the table of the first level lies}
  public final Pa root() {
    return table.root();
  }

  @Override
  public final Granule granule() {
    return table.geometry().granule();
  }

  @Override
  public final long pageSizes() {
    return table.geometry().pageSizes();
  }

  @Override
  public AddressRange aperture() {
    return table.geometry().aperture();
  }

  @Override
  protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
    table.map(iova, pa, bytes, protection, this::invalidate);
  }

  @Override
  protected long remove(Iova iova, long bytes) {
    return table.unmap(iova, bytes, this::invalidate);
  }

  @Override
  protected Optional<Pa> look(Iova iova) {
    return table.translate(iova);
  }

  @Override
  protected final void release() {
    table.close();
    released();
  }
}
