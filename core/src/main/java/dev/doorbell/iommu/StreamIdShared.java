package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Stream;
import java.util.List;
import java.util.Optional;

/// A function has the StreamID of a function of another group: what is set for one would hold for the other.
///
/// **Source**: SMMUv3 (IHI 0070F.b), 3.3.1. Linux does not bring the second function up at all (`arm_smmu_insert_master`).
public final class StreamIdShared extends IommuException {
  private static final long serialVersionUID = 1L;

  /// @param attempt what was tried, such as `cannot attach group 3 to domain 1`
  /// @param function whose accesses were to be led elsewhere
  /// @param other the function of another group that has the stream, too
  public StreamIdShared(String attempt, String function, Member other, Stream stream) {
    super(
        new Refusal(
            "StreamIdShared",
            "%s: %s has %s, as %s of another group has; the translation of one would be that of the other"
                .formatted(attempt, function, stream, other.name()),
            Optional.empty(),
            Optional.empty(),
            List.of(function, other.name(), stream.toString()),
            other.isolation().source(),
            "give %s and %s StreamIDs of their own in firmware (IORT, iommu-map, iommu-map-mask)"
                .formatted(function, other.name())));
  }
}
