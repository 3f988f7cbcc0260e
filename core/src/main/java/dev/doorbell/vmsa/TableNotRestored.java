package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusException;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A change to translation tables failed, and so did taking it back: what the hardware translates is no longer what it was. The cause is the
/// first failure; the later ones are suppressed.
public final class TableNotRestored extends BusException {
  private static final long serialVersionUID = 1L;

  private final transient List<Pa> quarantined;

  /// @param input the addresses whose translations may be wrong, in memory or in what caches it
  /// @param quarantined tables that are not used again
  TableNotRestored(
      AddressRange input,
      List<Pa> quarantined,
      RuntimeException failed,
      List<RuntimeException> again) {
    super(
        new Refusal(
            "TableNotRestored",
            "changing the translations of %s failed (%s) and so did taking it back (%s); the tables %s are not used again"
                .formatted(input, failed.getMessage(), again.getFirst().getMessage(), quarantined),
            Optional.empty(),
            Optional.empty(),
            Stream.concat(
                    Stream.of("input addresses " + input),
                    quarantined.stream().map(pa -> "table " + pa))
                .toList(),
            Source.rule("memory for translation tables, and the IOMMU's command queue"),
            "block the devices that use these tables, and replace memory or IOMMU: one of them has failed"));
    this.quarantined = List.copyOf(quarantined);
    initCause(failed);
    again.forEach(this::addSuppressed);
  }

  /// {@return tables that are kept from use: for good where a write to them or to the link to them failed, else until the tables are closed}
  public List<Pa> quarantined() {
    return quarantined;
  }
}
