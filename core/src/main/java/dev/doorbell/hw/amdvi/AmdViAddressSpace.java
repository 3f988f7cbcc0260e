package dev.doorbell.hw.amdvi;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Rollback;
import dev.doorbell.hw.amdvi.AmdViSettings.Use;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.SharedAddressSpace;
import java.util.Optional;
import java.util.OptionalLong;

/// Page tables, of the host's format or of guests', with the DomainID that all AMD IOMMUs know them by.
final class AmdViAddressSpace extends SharedAddressSpace<AmdViDriver> {
  private final AmdViSettings settings;
  private final int domain;
  private final IoPageTable table;
  private final Optional<GuestRoot> guest;

  private AmdViAddressSpace(
      AmdViSettings settings, int domain, IoPageTable table, Optional<GuestRoot> guest) {
    this.settings = settings;
    this.domain = domain;
    this.table = table;
    this.guest = guest;
  }

  /// {@return empty tables}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory; nothing is taken then
  static AmdViAddressSpace create(AmdViSettings settings, PhysicalMemory memory, Frames frames) {
    try (Rollback rollback = new Rollback()) {
      int domain = settings.domains().take();
      rollback.add(() -> settings.domains().giveBack(domain));
      IoPageTable table =
          IoPageTable.create(memory, frames, settings.format(), settings.outputBits());
      rollback.add(table::close);
      Optional<GuestRoot> guest =
          settings.has(Use.GUEST_TABLES)
              ? Optional.of(GuestRoot.create(memory, frames, table.root()))
              : Optional.empty();
      rollback.commit();
      return new AmdViAddressSpace(settings, domain, table, guest);
    }
  }

  int domain() {
    return domain;
  }

  long root() {
    return table.root();
  }

  /// {@return the guest CR3 table, where the tables are of guests' format}
  OptionalLong guestRoot() {
    return guest.map(g -> OptionalLong.of(g.address())).orElseGet(OptionalLong::empty);
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
    return table.format().sizes();
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
      iommu.invalidate(this, input);
    }
  }

  @Override
  public String toString() {
    return "AMD-Vi address space of DomainID " + domain;
  }

  @Override
  protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
    AddressRange input = range(iova, bytes);
    table.map(input, pa, protection, this::invalidate, settings.has(Use.CACHES_ABSENT));
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
    guest.ifPresent(GuestRoot::free);
    table.close();
    settings.domains().giveBack(domain);
  }

  @Override
  protected String name(AmdViDriver iommu) {
    return iommu.id();
  }
}
