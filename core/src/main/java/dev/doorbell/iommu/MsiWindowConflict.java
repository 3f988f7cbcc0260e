package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The MSI window and something else would lie over one another: a mapping, a reserved region, a group's region (R9, R11).
public final class MsiWindowConflict extends IommuException {
  private static final long serialVersionUID = 1L;

  /// @param attempt what was tried, such as `cannot reserve MSI window [..] on d0`
  /// @param window the window
  /// @param other the name of what it meets, with its range
  /// @param source where the other one comes from
  public MsiWindowConflict(
      String attempt, AddressRange window, String other, Source source, String advice) {
    super(
        new Refusal(
            "MsiWindowConflict",
            attempt + ": it meets " + other,
            Optional.empty(),
            Optional.empty(),
            List.of("MSI window " + window, other),
            source,
            advice));
  }
}
