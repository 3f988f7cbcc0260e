package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import java.util.List;
import java.util.Optional;

/// A doorbell's frame is smaller than the granule, so that mapping it would let a device write to its neighbours (R5).
public final class DoorbellExposesNeighbours extends IommuException {
  private static final long serialVersionUID = 1L;

  public DoorbellExposesNeighbours(
      String domain, DoorbellFrame frame, AddressRange page, Granule granule) {
    super(
        new Refusal(
            "DoorbellExposesNeighbours",
            "cannot map the doorbell of %s in %s: its frame %s is smaller than the granule of %s, page %s reaches beyond it"
                .formatted(frame.name(), domain, frame.frame(), granule, page),
            Optional.of(Figure.bytes(granule.bytes())),
            Optional.of(Figure.bytes(frame.frame().bytes())),
            List.of(frame.name(), domain),
            frame.source(),
            "use a smaller granule, or allow unsafe interrupts"));
  }
}
