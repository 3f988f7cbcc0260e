package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.Collection;
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

  /// Refuses streams whose IOMMU cannot use a domain's tables.
  static void check(Domain domain, IommuGroup group, Collection<IommuGroup.Stream> streams) {
    IommuCapabilities mine = domain.first().capabilities();
    for (IommuGroup.Stream s : streams) {
      IommuCapabilities c = s.iommu().capabilities();
      String why = null;
      if (!c.kind().equals(mine.kind())) {
        why = "is of kind " + c.kind() + ", the domain's tables are for " + mine.kind();
      } else if (!c.granules().contains(domain.granule())) {
        why = "has no granule of " + domain.granule();
      } else if (c.inputBits() < mine.inputBits() || c.outputBits() < mine.outputBits()) {
        why =
            "translates %d to %d bits, the domain %d to %d"
                .formatted(c.inputBits(), c.outputBits(), mine.inputBits(), mine.outputBits());
      }
      if (why != null) {
        throw new IncompatibleIommu(domain.name(), group, s.iommu(), why);
      }
    }
  }
}
