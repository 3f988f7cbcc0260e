package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// IOVAs lie outside what the domain can translate (R12).
public final class OutsideAperture extends IommuException {
  private static final long serialVersionUID = 1L;

  /// @param what the object that does not fit, such as `mapping [..]`
  OutsideAperture(String domain, String what, AddressRange aperture, Source source) {
    super(
        new Refusal(
            "OutsideAperture",
            "%s does not fit the aperture %s of %s".formatted(what, aperture, domain),
            Optional.empty(),
            Optional.empty(),
            List.of(what, "aperture " + aperture + " of " + domain),
            source,
            "choose IOVAs inside " + aperture));
  }
}
