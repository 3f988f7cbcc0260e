package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import java.util.List;

/// The MSI window of a domain.
///
/// @param range where it lies
/// @param doorbells the frames that will be mapped into it
/// @param needed bytes that these take
/// @param headroom bytes left for controllers of functions that may be added later
/// @param order log2 of the window's size in granules; it is aligned to its size when the plan chose it
/// @param why why it lies there
/// @param source who chose it
public record WindowPlan(
    AddressRange range,
    Granule granule,
    List<Doorbell> doorbells,
    long needed,
    long headroom,
    int order,
    String why,
    Source source) {
  /// A doorbell that needs a mapping.
  ///
  /// @param frame registers around it that a device may be let write to with it
  /// @param page the granule that holds it, as physical addresses
  public record Doorbell(
      MsiControllerDescription controller, AddressRange frame, AddressRange page) {}

  public WindowPlan {
    doorbells = List.copyOf(doorbells);
  }
}
