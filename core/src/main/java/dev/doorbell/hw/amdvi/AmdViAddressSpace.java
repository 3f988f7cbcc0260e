package dev.doorbell.hw.amdvi;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Host page tables with the DomainID that all AMD IOMMUs know them by.
final class AmdViAddressSpace implements AddressSpace {
  private final AmdViSettings settings;
  private final int domain;
  private final IoPageTable table;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<AmdViDriver, Integer> users = new HashMap<>();
  private boolean closed;

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

  /// Counts a device of an IOMMU in, before its entry leads here.
  ///
  /// @throws IllegalArgumentException when closed
  void enter(AmdViDriver iommu) {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalArgumentException(this + " is closed");
      }
      users.merge(iommu, 1, Integer::sum);
    } finally {
      lock.unlock();
    }
  }

  /// Counts a device out, after its entry leads elsewhere and, for the last one of an IOMMU, after that IOMMU dropped the translations.
  void leave(AmdViDriver iommu) {
    lock.lock();
    try {
      users.computeIfPresent(iommu, (key, count) -> count == 1 ? null : count - 1);
    } finally {
      lock.unlock();
    }
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

  @Override
  public void map(Iova iova, Pa pa, long bytes, Protection protection) {
    AddressRange input = range(iova, bytes);
    lock.lock();
    try {
      table.map(input, pa, protection, this::invalidate, settings.cachesAbsent());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long unmap(Iova iova, long bytes) {
    AddressRange input = range(iova, bytes);
    lock.lock();
    try {
      return table.unmap(input, this::invalidate);
    } finally {
      lock.unlock();
    }
  }

  private static AddressRange range(Iova iova, long bytes) {
    long last = iova.value() + (bytes - 1);
    if (bytes <= 0 || iova.value() < 0 || last < iova.value()) {
      throw new IllegalArgumentException(
          "0x%x bytes at %s are no range of addresses".formatted(bytes, iova));
    }
    return new AddressRange(iova.value(), last);
  }

  @Override
  public Optional<Pa> translate(Iova iova) {
    lock.lock();
    try {
      return table.translate(iova);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (!users.isEmpty()) {
        throw new IllegalStateException(
            "%s still has devices of %s; block them first"
                .formatted(this, users.keySet().stream().map(AmdViDriver::id).sorted().toList()));
      }
      if (closed) {
        return;
      }
      closed = true;
      table.close();
      settings.domains().giveBack(domain);
    } finally {
      lock.unlock();
    }
  }

  private void invalidate(AddressRange input) {
    for (AmdViDriver iommu : List.copyOf(users.keySet())) {
      iommu.invalidate(domain, input);
    }
  }

  @Override
  public String toString() {
    return "AMD-Vi address space of DomainID " + domain;
  }
}
