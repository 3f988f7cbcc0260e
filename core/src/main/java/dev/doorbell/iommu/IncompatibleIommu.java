package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// An IOMMU cannot use the translation tables of a domain.
public final class IncompatibleIommu extends IommuException {
  private static final long serialVersionUID = 1L;

  IncompatibleIommu(String domain, IommuGroup group, Iommu iommu, String why) {
    super(
        new Refusal(
            "IncompatibleIommu",
            "cannot attach %s to %s: %s %s".formatted(group.name(), domain, iommu.id(), why),
            Optional.empty(),
            Optional.empty(),
            List.of(group.name(), domain, iommu.id()),
            Source.rule("capabilities of " + iommu.id()),
            "use a domain of its own for " + group.name()));
  }
}
