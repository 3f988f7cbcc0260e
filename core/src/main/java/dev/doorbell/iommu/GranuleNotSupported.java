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

  /// @param user who asks
  /// @param available ascending, not empty
  public GranuleNotSupported(String user, String iommu, Granule wanted, List<Granule> available) {
    super(
        new Refusal(
            "GranuleNotSupported",
            "%s is to map granules of %s, and %s has %s".formatted(user, wanted, iommu, available),
            Optional.of(Figure.bytes(wanted.bytes())),
            Optional.of(Figure.bytes(available.getFirst().bytes())),
            List.of(user, iommu),
            Source.rule("capabilities of " + iommu),
            "take a granule of " + available));
  }

  /// {@return the granule, unless the IOMMU has it not}
  static Granule check(String domain, Iommu iommu, Granule wanted) {
    List<Granule> has = iommu.capabilities().granules();
    if (!has.contains(wanted)) {
      throw new GranuleNotSupported(domain, iommu.id(), wanted, has);
    }
    return wanted;
  }
}
