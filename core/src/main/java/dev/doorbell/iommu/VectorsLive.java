package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A group's translation cannot change while one of its functions has vectors that would be lost (R8, R20).
public final class VectorsLive extends IommuException {
  private static final long serialVersionUID = 1L;

  public VectorsLive(String attempt, String function, String why, Source source) {
    super(
        new Refusal(
            "VectorsLive",
            "%s: %s has live vectors and %s".formatted(attempt, function, why),
            Optional.empty(),
            Optional.empty(),
            List.of(function),
            source,
            "release the vectors of " + function + " first"));
  }
}
