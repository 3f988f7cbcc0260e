package dev.doorbell.vfio;

import dev.doorbell.address.Granule;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A container has no free IOVAs as long as a buffer.
public final class NoPlaceForMapping extends VfioException {
  private static final long serialVersionUID = 1L;

  /// @param largest bytes of the longest place that is free and aligned
  public NoPlaceForMapping(String container, long bytes, Granule alignment, long largest) {
    super(
        new Refusal(
            "NoPlaceForMapping",
            "no place for a mapping of 0x%x bytes aligned to %s in %s: the longest that is free has 0x%x"
                .formatted(bytes, alignment, container, largest),
            Optional.of(Figure.bytes(bytes)),
            Optional.of(Figure.bytes(largest)),
            List.of(container),
            Source.rule("IOVA ranges and mappings of " + container),
            "unmap something, or map the buffer in parts"));
  }
}
