package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The automatic MSI window finds no place.
public final class NoPlaceForWindow extends VfioException {
  private static final long serialVersionUID = 1L;

  /// @param needed bytes of the window
  /// @param available bytes of the longest one that could be placed
  public NoPlaceForWindow(
      String container, Figure needed, Figure available, List<AddressRange> free) {
    super(
        new Refusal(
            "NoPlaceForWindow",
            "no place for an MSI window of 0x%x bytes below 4 GiB in %s: clear of mappings, reserved regions and PCI windows are %s"
                .formatted(needed.value(), container, free),
            Optional.of(needed),
            Optional.of(available),
            List.of(container),
            Source.rule("IOVA ranges of " + container),
            "unmap memory below 4 GiB, or register a window elsewhere"));
  }
}
