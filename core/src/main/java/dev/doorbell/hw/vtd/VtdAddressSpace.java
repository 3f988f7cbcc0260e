package dev.doorbell.hw.vtd;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Second-stage tables with the domain id that all units know them by.
final class VtdAddressSpace implements AddressSpace {
  private final VtdTags tags;
  private final SecondStageTable table;
  private final AddressRange aperture;
  private final int outputBits;
  private final int domain;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<VtdDriver, Integer> users = new HashMap<>();
  private boolean closed;

  /// @param inputBits width of an address that is translated
  VtdAddressSpace(VtdTags tags, SecondStageTable table, int inputBits, int outputBits, int domain) {
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

  /// Counts a function of a unit in, before its context entry points here.
  ///
  /// @throws IllegalArgumentException when closed
  void enter(VtdDriver unit) {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalArgumentException(
            "the address space of domain id " + domain + " is closed");
      }
      users.merge(unit, 1, Integer::sum);
    } finally {
      lock.unlock();
    }
  }

  /// Counts a function out, after its context entry points elsewhere and the unit has dropped the translations.
  void leave(VtdDriver unit) {
    lock.lock();
    try {
      users.computeIfPresent(unit, (_, n) -> n == 1 ? null : n - 1);
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
    return table.pageSizes();
  }

  @Override
  public AddressRange aperture() {
    return aperture;
  }

  @Override
  public void map(Iova iova, Pa pa, long bytes, Protection protection) {
    lock.lock();
    try {
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
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long unmap(Iova iova, long bytes) {
    lock.lock();
    try {
      return table.unmap(checked(iova, bytes), this::invalidate);
    } finally {
      lock.unlock();
    }
  }

  /// A unit in caching mode keeps what is not present, too.
  private void added(AddressRange range) {
    for (VtdDriver unit : List.copyOf(users.keySet())) {
      if (unit.keepsAbsent()) {
        unit.invalidate(this, range);
      }
    }
  }

  private void invalidate(AddressRange range) {
    for (VtdDriver unit : List.copyOf(users.keySet())) {
      unit.invalidate(this, range);
    }
  }

  private AddressRange checked(Iova iova, long bytes) {
    if (closed) {
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
  public Optional<Pa> translate(Iova iova) {
    lock.lock();
    try {
      return closed || !aperture.contains(iova.value()) ? Optional.empty() : table.translate(iova);
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
            "the address space of domain id %d still has functions of %s; block them first"
                .formatted(domain, users.keySet().stream().map(VtdDriver::id).sorted().toList()));
      }
      if (!closed) {
        closed = true;
        table.close();
        tags.giveBack(domain);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String toString() {
    return "VT-d address space of domain id " + domain;
  }
}
