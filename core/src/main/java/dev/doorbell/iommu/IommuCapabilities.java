package dev.doorbell.iommu;

import dev.doorbell.address.Granule;
import java.util.List;

/// What an IOMMU can do.
///
/// @param kind such as `SMMUv3`
/// @param granules ascending, not empty
/// @param inputBits width of an IOVA
/// @param outputBits width of a PA
/// @param streamIdBits width of a stream's number
/// @param translatesMsi false where MSIs do not meet the translation tables (x86)
/// @param writeOnly whether a mapping can be write-only
public record IommuCapabilities(
    String kind,
    List<Granule> granules,
    int inputBits,
    int outputBits,
    int streamIdBits,
    boolean translatesMsi,
    boolean writeOnly) {
  public IommuCapabilities {
    granules = List.copyOf(granules);
  }
}
