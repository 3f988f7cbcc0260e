package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.AddressRange;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaAddressSpace;
import dev.doorbell.vmsa.VmsaTable;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Translation tables, and the context bank that they have on each SMMU that uses them.
///
/// **Source** IHI 0062 D.c, 4.5: faults are not cached.
final class SmmuV2AddressSpace extends VmsaAddressSpace<ContextBanks> {
  private final boolean is64;
  private final Map<ContextBanks, Integer> banks = new ConcurrentHashMap<>();

  /// @param is64 whether descriptors and registers are AArch64 ones
  SmmuV2AddressSpace(VmsaTable table, boolean is64) {
    super(table);
    this.is64 = is64;
  }

  Stage stage() {
    return geometry().stage();
  }

  boolean is64() {
    return is64;
  }

  /// Remembers the bank of an SMMU, before a stream is led to it.
  void remember(ContextBanks of, int bank) {
    banks.put(of, bank);
  }

  /// Forgets it, after its translations were dropped.
  void forget(ContextBanks of) {
    banks.remove(of);
  }

  @Override
  public String toString() {
    return "the %s address space at %s"
        .formatted(stage() == Stage.STAGE1 ? "stage 1" : "stage 2", root());
  }

  @Override
  protected void invalidate(AddressRange range, boolean leafOnly) {
    // A user that has no bank yet has looked at nothing.
    banks.forEach((of, bank) -> of.invalidate(bank, this, range, leafOnly));
  }

  @Override
  protected String name(ContextBanks of) {
    return of.id();
  }
}
