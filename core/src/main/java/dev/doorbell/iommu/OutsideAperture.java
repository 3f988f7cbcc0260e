package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// IOVAs lie outside what the domain can translate (R12).
public final class OutsideAperture extends IommuException {
  private static final long serialVersionUID = 1L;

  /// @param what the object that does not fit, such as `mapping [..]`
  public OutsideAperture(String domain, String what, AddressRange aperture, Source source) {
    this(domain, what, List.of(aperture), source);
  }

  /// @param what the object that does not fit
  /// @param windows what the aperture consists of, ascending
  OutsideAperture(String domain, String what, List<AddressRange> windows, Source source) {
    String aperture =
        windows.stream().map(AddressRange::toString).collect(Collectors.joining(" and "));
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

  /// Refuses IOVAs that do not lie in one of the windows of a domain.
  static void check(Domain domain, String what, AddressRange range, Source source) {
    if (domain.iovas().stream().noneMatch(w -> w.contains(range))) {
      throw new OutsideAperture(domain.name(), what, domain.iovas(), source);
    }
  }

  /// {@return the IOVAs of a mapping, all inside a domain's aperture}
  static AddressRange check(Domain domain, Iova iova, long bytes) {
    long last = iova.value() + (bytes - 1);
    if (Long.compareUnsigned(last, iova.value()) >= 0) {
      AddressRange range = new AddressRange(iova.value(), last);
      check(domain, what(iova, bytes), range, domain.apertureSource());
      return range;
    }
    throw new OutsideAperture(
        domain.name(), what(iova, bytes), domain.iovas(), domain.apertureSource());
  }

  private static String what(Iova iova, long bytes) {
    return "mapping of 0x%x bytes at IOVA %s".formatted(bytes, iova);
  }
}
