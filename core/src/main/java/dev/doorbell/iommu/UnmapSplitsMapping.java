package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// An unmap would leave part of a mapping. As VFIO type1 v2, a mapping is unmapped whole.
public final class UnmapSplitsMapping extends IommuException {
  private static final long serialVersionUID = 1L;

  public UnmapSplitsMapping(String domain, AddressRange asked, Mapping mapping) {
    this(domain, asked, mapping.iovas(), mapping.toString());
  }

  /// @param whole the IOVAs of the mapping that would be cut
  /// @param mapping its name
  public UnmapSplitsMapping(String domain, AddressRange asked, AddressRange whole, String mapping) {
    super(
        new Refusal(
            "UnmapSplitsMapping",
            "cannot unmap %s in %s: it would cut %s".formatted(asked, domain, mapping),
            Optional.empty(),
            Optional.empty(),
            List.of("unmap " + asked, mapping),
            Source.rule("VFIO type1 v2: mappings are unmapped whole"),
            "unmap all of " + whole));
  }
}
