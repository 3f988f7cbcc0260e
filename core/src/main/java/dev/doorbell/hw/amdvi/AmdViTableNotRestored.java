package dev.doorbell.hw.amdvi;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A change to host page tables failed, and so did taking it back: what the hardware translates is no longer what it was. The cause is the
/// first failure; the later ones are suppressed.
public final class AmdViTableNotRestored extends AmdViException {
  private static final long serialVersionUID = 1L;

  /// @param input the addresses whose translations may be wrong, in memory or in what caches it
  /// @param kept tables that are not used again before all are closed
  AmdViTableNotRestored(
      AddressRange input, List<Pa> kept, RuntimeException failed, List<RuntimeException> again) {
    super(
        new Refusal(
            "AmdViTableNotRestored",
            "changing the translations of %s failed (%s) and so did taking it back (%s); the tables %s are not used again"
                .formatted(input, failed.getMessage(), again.getFirst().getMessage(), kept),
            Optional.empty(),
            Optional.empty(),
            Stream.concat(
                    Stream.of("input addresses " + input), kept.stream().map(pa -> "table " + pa))
                .toList(),
            Source.rule("memory for host page tables, and the IOMMU's command buffer"),
            "block the devices that use these tables, and replace memory or IOMMU: one of them has failed"));
    initCause(failed);
    again.forEach(this::addSuppressed);
  }
}
