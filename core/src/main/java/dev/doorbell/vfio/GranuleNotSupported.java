package dev.doorbell.vfio;

import dev.doorbell.address.Granule;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// An IOMMU has not the granule that a container was opened with.
public final class GranuleNotSupported extends VfioException {
  private static final long serialVersionUID = 1L;

  public GranuleNotSupported(String iommu, Granule asked, List<Granule> available) {
    super(
        new Refusal(
            "GranuleNotSupported",
            "%s has no granule of %s: it has %s".formatted(iommu, asked, available),
            Optional.of(Figure.bytes(asked.bytes())),
            Optional.of(Figure.bytes(available.getFirst().bytes())),
            List.of(iommu),
            Source.rule("capabilities of " + iommu),
            "choose one of " + available));
  }
}
