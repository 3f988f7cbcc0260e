package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.SharedAddressSpace;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaTable;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Translation tables, and the context bank that they have on each SMMU that uses them.
///
/// At stage 1 a mapping for writing can be read too: the format has no write-only page; stage 2 has.
final class SmmuV2AddressSpace extends SharedAddressSpace<ContextBanks> {
  private final VmsaTable table;
  private final boolean is64;
  private final Map<ContextBanks, Integer> banks = new ConcurrentHashMap<>();

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
    banks.put(of, bank);
    enter(of);
  }

  /// Forgets it, after its translations were dropped.
  void forget(ContextBanks of) {
    leave(of);
    banks.remove(of);
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
  public String toString() {
    return "the %s address space at %s"
        .formatted(stage() == Stage.STAGE1 ? "stage 1" : "stage 2", table.root());
  }

  private void invalidate(AddressRange range, boolean leafOnly) {
    for (ContextBanks of : users()) {
      of.invalidate(Objects.requireNonNull(banks.get(of)), this, range, leafOnly);
    }
  }

  @Override
  protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
    // Faults are not cached (IHI 0062 D.c, 4.5), so a new mapping needs no invalidation.
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
  protected void release() {
    table.close();
  }

  @Override
  protected String name(ContextBanks of) {
    return of.id();
  }
}
