package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A reserved region and a mapping would lie over one another: a mapping that is asked for, or the live ones when a group
/// is attached (R13, R14).
public final class ReservedRegionConflict extends IommuException {
  private static final long serialVersionUID = 1L;

  /// @param attempt what was tried
  /// @param region the region's name, with its range
  /// @param other what it meets
  /// @param source where the region was read
  public ReservedRegionConflict(
      String attempt, String region, String other, Source source, String advice) {
    super(
        new Refusal(
            "ReservedRegionConflict",
            "%s: %s meets %s".formatted(attempt, region, other),
            Optional.empty(),
            Optional.empty(),
            List.of(region, other),
            source,
            advice));
  }
}
