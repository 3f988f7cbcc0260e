package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// IOVAs lie outside what the domain can translate (R12).
public final class OutsideAperture extends IommuException {
  private static final long serialVersionUID = 1L;

  /// @param what the object that does not fit, such as `mapping [..]`
  public OutsideAperture(String domain, String what, AddressRange aperture, Source source) {
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

  /// {@return the IOVAs of a mapping, all inside a domain's aperture}
  static AddressRange check(Domain domain, Iova iova, long bytes) {
    long last = iova.value() + (bytes - 1);
    if (Long.compareUnsigned(last, iova.value()) >= 0) {
      AddressRange range = new AddressRange(iova.value(), last);
      if (domain.aperture().contains(range)) {
        return range;
      }
    }
    throw new OutsideAperture(
        domain.name(),
        "mapping of 0x%x bytes at IOVA %s".formatted(bytes, iova),
        domain.aperture(),
        domain.apertureSource());
  }
}
