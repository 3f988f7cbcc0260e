package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The automatic MSI window finds no place.
public final class NoPlaceForWindow extends VfioException {
  private static final long serialVersionUID = 1L;

  public NoPlaceForWindow(String container, long bytes, List<AddressRange> free) {
    super(
        new Refusal(
            "NoPlaceForWindow",
            "no place for an MSI window of 0x%x bytes below 4 GiB in %s: clear of mappings, reserved regions and PCI windows are %s"
                .formatted(bytes, container, free),
            Optional.empty(),
            Optional.empty(),
            List.of(container),
            Source.rule("IOVA ranges of " + container),
            "unmap memory below 4 GiB, or register a window elsewhere"));
  }
}
