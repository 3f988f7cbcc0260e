package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// What a user asks of a plan.
///
/// @param ram guest RAM where the user wants it, as guest-physical ranges; empty when `ramBytes` says how much
/// @param ramBytes guest RAM to be laid out by the plan
/// @param window the MSI window that the user wants
/// @param granule the IOMMU granule that the user wants
/// @param maxVectors upper limit of vectors of each function
/// @param allowUnsafeInterrupts whether a controller that does not look at who writes will do
public record PlanRequest(
    List<AddressRange> ram,
    OptionalLong ramBytes,
    Optional<AddressRange> window,
    Optional<Granule> granule,
    OptionalInt maxVectors,
    boolean allowUnsafeInterrupts) {
  /// Nothing asked for: the plan chooses.
  public static final PlanRequest DEFAULT =
      new PlanRequest(
          List.of(),
          OptionalLong.empty(),
          Optional.empty(),
          Optional.empty(),
          OptionalInt.empty(),
          false);

  public PlanRequest {
    ram = List.copyOf(ram);
  }
}
