package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// IOVAs to be mapped are mapped already.
public final class MappingOverlap extends IommuException {
  private static final long serialVersionUID = 1L;

  public MappingOverlap(String domain, AddressRange asked, String other) {
    super(
        new Refusal(
            "MappingOverlap",
            "cannot map %s in %s: it meets %s".formatted(asked, domain, other),
            Optional.empty(),
            Optional.empty(),
            List.of("mapping " + asked, other),
            Source.rule("mappings of " + domain),
            "unmap the older one first, or choose IOVAs outside it"));
  }
}
