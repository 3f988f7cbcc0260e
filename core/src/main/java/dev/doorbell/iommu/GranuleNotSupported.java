package dev.doorbell.iommu;

import dev.doorbell.address.Granule;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// An IOMMU has no translation tables of the granule that is asked for.
public final class GranuleNotSupported extends IommuException {
  private static final long serialVersionUID = 1L;

  private GranuleNotSupported(String domain, Iommu iommu, Granule wanted) {
    super(
        new Refusal(
            "GranuleNotSupported",
            "%s is to map granules of %s, and %s has %s"
                .formatted(domain, wanted, iommu.id(), iommu.capabilities().granules()),
            Optional.of(Figure.bytes(wanted.bytes())),
            Optional.of(Figure.bytes(iommu.capabilities().granules().getFirst().bytes())),
            List.of(domain, iommu.id()),
            Source.rule("identification registers of " + iommu.id()),
            "take a granule of " + iommu.capabilities().granules()));
  }

  /// {@return the granule, unless the IOMMU has it not}
  static Granule check(String domain, Iommu iommu, Granule wanted) {
    if (!iommu.capabilities().granules().contains(wanted)) {
      throw new GranuleNotSupported(domain, iommu, wanted);
    }
    return wanted;
  }
}
