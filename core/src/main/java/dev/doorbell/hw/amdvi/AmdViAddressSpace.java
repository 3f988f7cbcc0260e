package dev.doorbell.hw.amdvi;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.SharedAddressSpace;
import java.util.Optional;

/// Host page tables with the DomainID that all AMD IOMMUs know them by.
final class AmdViAddressSpace extends SharedAddressSpace<AmdViDriver> {
  private final AmdViSettings settings;
  private final int domain;
  private final IoPageTable table;

  private AmdViAddressSpace(AmdViSettings settings, int domain, IoPageTable table) {
    this.settings = settings;
    this.domain = domain;
    this.table = table;
  }

  /// {@return empty tables}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory; nothing is taken then
  static AmdViAddressSpace create(AmdViSettings settings, PhysicalMemory memory, Frames frames) {
    int domain = settings.domains().take();
    try {
      return new AmdViAddressSpace(
          settings, domain, IoPageTable.create(memory, frames, settings.outputBits()));
    } catch (RuntimeException failed) {
      settings.domains().giveBack(domain);
      throw failed;
    }
  }

  int domain() {
    return domain;
  }

  long root() {
    return table.root();
  }

  AmdViDomains domains() {
    return settings.domains();
  }

  @Override
  public Granule granule() {
    return Granule.K4;
  }

  @Override
  public long pageSizes() {
    return IoPageTable.pageSizes();
  }

  @Override
  public AddressRange aperture() {
    return table.aperture();
  }

  private static AddressRange range(Iova iova, long bytes) {
    long last = iova.value() + (bytes - 1);
    if (bytes <= 0 || iova.value() < 0 || last < iova.value()) {
      throw new IllegalArgumentException(
          "0x%x bytes at %s are no range of addresses".formatted(bytes, iova));
    }
    return new AddressRange(iova.value(), last);
  }

  private void invalidate(AddressRange input) {
    for (AmdViDriver iommu : users()) {
      iommu.invalidate(domain, input);
    }
  }

  @Override
  public String toString() {
    return "AMD-Vi address space of DomainID " + domain;
  }

  @Override
  protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
    AddressRange input = range(iova, bytes);
    table.map(input, pa, protection, this::invalidate, settings.cachesAbsent());
  }

  @Override
  protected long remove(Iova iova, long bytes) {
    AddressRange input = range(iova, bytes);
    return table.unmap(input, this::invalidate);
  }

  @Override
  protected Optional<Pa> look(Iova iova) {
    return table.translate(iova);
  }

  @Override
  protected void release() {
    table.close();
    settings.domains().giveBack(domain);
  }

  @Override
  protected String name(AmdViDriver iommu) {
    return iommu.id();
  }
}
