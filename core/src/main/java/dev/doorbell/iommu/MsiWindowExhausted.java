package dev.doorbell.iommu;

import dev.doorbell.address.Granule;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The MSI window has no room for the doorbells that are asked for, or there is no window at all (R2). Another kernel's
/// implementation of the user's API computes the figures before its system call and refuses by the same factories.
public final class MsiWindowExhausted extends IommuException {
  private static final long serialVersionUID = 1L;

  private MsiWindowExhausted(Refusal refusal) {
    super(refusal);
  }

  /// {@return the refusal of a window that is too small}
  ///
  /// @param doorbells names of the doorbells that have no place
  public static MsiWindowExhausted tooSmall(
      String domain, MsiWindow window, List<String> doorbells) {
    return tooSmall(domain, window, window.granule().bytes(), doorbells);
  }

  /// {@return the refusal of a window that is too small}
  ///
  /// @param spacing bytes from a doorbell to the next
  /// @param doorbells names of the doorbells that have no place
  static MsiWindowExhausted tooSmall(
      String domain, MsiWindow window, long spacing, List<String> doorbells) {
    long needed = doorbells.size() * window.granule().bytes();
    long available = window.free() * window.granule().bytes();
    return of(
        "MSI window %s of %s has 0x%x bytes left for doorbells in granules of %s and %s needs 0x%x"
            .formatted(
                window.range(),
                domain,
                available,
                window.granule(),
                String.join(", ", doorbells),
                needed),
        needed,
        available,
        named("MSI window " + window.range() + " of " + domain, doorbells),
        Source.rule("MSI window registered on " + domain),
        "reserve a window of at least 0x%x bytes that starts at a multiple of 0x%x; this one has 0x%x"
            .formatted(
                (window.used() + doorbells.size()) * spacing, spacing, window.range().bytes()));
  }

  /// {@return the refusal of a domain that has no window}
  public static MsiWindowExhausted noWindow(
      String domain, Granule granule, List<String> doorbells) {
    long needed = doorbells.size() * granule.bytes();
    return of(
        "%s has no MSI window and %s needs 0x%x bytes of one"
            .formatted(domain, String.join(", ", doorbells), needed),
        needed,
        0,
        named(domain, doorbells),
        Source.rule("no MSI window registered on " + domain),
        "reserve an MSI window of 0x%x bytes or more on %s first".formatted(needed, domain));
  }

  private static MsiWindowExhausted of(
      String message,
      long needed,
      long available,
      List<String> objects,
      Source source,
      String advice) {
    return new MsiWindowExhausted(
        new Refusal(
            "MsiWindowExhausted",
            message,
            Optional.of(Figure.bytes(needed)),
            Optional.of(Figure.bytes(available)),
            objects,
            source,
            advice));
  }

  private static List<String> named(String first, List<String> rest) {
    List<String> out = new ArrayList<>();
    out.add(first);
    out.addAll(rest);
    return out;
  }
}
