package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaTable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Translation tables, and the context bank that they have on each SMMU that uses them.
///
/// At stage 1 a mapping for writing can be read too: the format has no write-only page; stage 2 has.
final class SmmuV2AddressSpace implements AddressSpace {
  private final VmsaTable table;
  private final boolean is64;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<ContextBanks, Integer> banks = new LinkedHashMap<>();
  private boolean closed;

  /// @param is64 whether descriptors and registers are AArch64 ones
  SmmuV2AddressSpace(VmsaTable table, boolean is64) {
    this.table = table;
    this.is64 = is64;
  }

  VmsaGeometry geometry() {
    return table.geometry();
  }

  Stage stage() {
    return table.geometry().stage();
  }

  boolean is64() {
    return is64;
  }

  long root() {
    return table.root().value();
  }

  /// Remembers the bank of an SMMU, before a stream is led to it.
  ///
  /// @throws IllegalArgumentException when closed
  void enter(ContextBanks of, int bank) {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalArgumentException(this + " is closed");
      }
      banks.put(of, bank);
    } finally {
      lock.unlock();
    }
  }

  /// Forgets it, after its translations were dropped.
  void leave(ContextBanks of) {
    lock.lock();
    try {
      banks.remove(of);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Granule granule() {
    return table.geometry().granule();
  }

  @Override
  public long pageSizes() {
    return table.geometry().pageSizes();
  }

  @Override
  public AddressRange aperture() {
    return table.geometry().aperture();
  }

  @Override
  public void map(Iova iova, Pa pa, long bytes, Protection protection) {
    lock.lock();
    try {
      // Faults are not cached (IHI 0062 D.c, 4.5), so a new mapping needs no invalidation.
      table.map(iova, pa, bytes, protection, this::invalidate);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long unmap(Iova iova, long bytes) {
    lock.lock();
    try {
      return table.unmap(iova, bytes, this::invalidate);
    } finally {
      lock.unlock();
    }
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
      if (!banks.isEmpty()) {
        throw new IllegalStateException(
            "%s still has streams of %s; block them first"
                .formatted(this, banks.keySet().stream().map(ContextBanks::id).sorted().toList()));
      }
      closed = true;
      table.close();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String toString() {
    return "the %s address space at %s"
        .formatted(stage() == Stage.STAGE1 ? "stage 1" : "stage 2", table.root());
  }

  private void invalidate(AddressRange range, boolean leafOnly) {
    banks.forEach((of, bank) -> of.invalidate(bank, this, range, leafOnly));
  }
}
