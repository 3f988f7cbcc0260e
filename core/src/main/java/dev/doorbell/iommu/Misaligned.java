package dev.doorbell.iommu;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A mapping's IOVA, PA or size is not a multiple of the domain's granule.
public final class Misaligned extends IommuException {
  private static final long serialVersionUID = 1L;

  public Misaligned(String domain, String what, Granule granule) {
    super(
        new Refusal(
            "Misaligned",
            "%s is not in whole granules of %s, as %s maps".formatted(what, granule, domain),
            Optional.of(Figure.bytes(granule.bytes())),
            Optional.empty(),
            List.of(what, domain),
            Source.rule("granule of " + domain),
            "use multiples of 0x%x bytes".formatted(granule.bytes())));
  }

  /// Refuses a mapping that is not in whole granules.
  static void check(String domain, Granule g, Iova iova, Pa pa, long bytes) {
    boolean whole = bytes != 0 && g.isAligned(bytes);
    if (!whole || !g.isAligned(iova.value()) || !g.isAligned(pa.value())) {
      throw new Misaligned(
          domain, "mapping of 0x%x bytes from IOVA %s to PA %s".formatted(bytes, iova, pa), g);
    }
  }
}
