package dev.doorbell.hw.vtd;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.SharedAddressSpace;
import java.util.Optional;

/// Tables of one stage with the domain id that all units know them by.
final class VtdAddressSpace extends SharedAddressSpace<VtdDriver> {
  private final VtdTags tags;
  private final StageTable table;
  private final AddressRange aperture;
  private final int outputBits;
  private final int domain;

  /// @param inputBits width of an address that is translated
  VtdAddressSpace(VtdTags tags, StageTable table, int inputBits, int outputBits, int domain) {
    this.tags = tags;
    this.table = table;
    this.aperture = new AddressRange(0, (1L << inputBits) - 1);
    this.outputBits = outputBits;
    this.domain = domain;
  }

  int domain() {
    return domain;
  }

  long root() {
    return table.root();
  }

  int levels() {
    return table.levels();
  }

  /// {@return which stage the tables are of}
  TableEntries stage() {
    return table.entries();
  }

  @Override
  public Granule granule() {
    return Granule.K4;
  }

  @Override
  public long pageSizes() {
    return table.pageSizes();
  }

  @Override
  public AddressRange aperture() {
    return aperture;
  }

  /// A unit in caching mode keeps what is not present, too.
  private void added(AddressRange range) {
    for (VtdDriver unit : users()) {
      if (unit.keepsAbsent()) {
        unit.invalidate(this, range);
      }
    }
  }

  private void invalidate(AddressRange range) {
    for (VtdDriver unit : users()) {
      unit.invalidate(this, range);
    }
  }

  private AddressRange checked(Iova iova, long bytes) {
    if (isClosed()) {
      throw new IllegalStateException("the address space of domain id " + domain + " is closed");
    }
    long last = iova.value() + (bytes - 1);
    if (bytes <= 0
        || !granule().isAligned(bytes)
        || !granule().isAligned(iova.value())
        || iova.value() < 0
        || last < iova.value()
        || last > aperture.last()) {
      throw new IllegalArgumentException(
          "0x%x bytes at %s are not whole granules of %s within %s"
              .formatted(bytes, iova, granule(), aperture));
    }
    return new AddressRange(iova.value(), last);
  }

  @Override
  public String toString() {
    return "VT-d address space of domain id " + domain;
  }

  @Override
  protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
    AddressRange range = checked(iova, bytes);
    if (!granule().isAligned(pa.value()) || pa.value() + (bytes - 1) >>> outputBits != 0) {
      throw new IllegalArgumentException(
          "%s for %s is not aligned to %s or leaves the %d-bit output"
              .formatted(pa, range, granule(), outputBits));
    }
    if (!protection.read() && !protection.write()) {
      throw new IllegalArgumentException("a mapping that allows nothing is none");
    }
    table.map(range, pa, protection, this::added, this::invalidate);
  }

  @Override
  protected long remove(Iova iova, long bytes) {
    return table.unmap(checked(iova, bytes), this::invalidate);
  }

  @Override
  protected Optional<Pa> look(Iova iova) {
    return isClosed() || !aperture.contains(iova.value())
        ? Optional.empty()
        : table.translate(iova);
  }

  @Override
  protected void release() {
    table.close();
    tags.giveBack(domain);
  }

  @Override
  protected String name(VtdDriver unit) {
    return unit.id();
  }
}
