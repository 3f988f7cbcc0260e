package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// There is no free block for a request. Needed is the block's size, available that of the largest free aligned block where the
/// request may lie.
public final class IovaExhausted extends IovaException {
  private static final long serialVersionUID = 1L;

  IovaExhausted(IovaRequest request, AddressRange within, long neededBytes, long availableBytes) {
    super(
        new Refusal(
            "IovaExhausted",
            "%s needs a free aligned block of 0x%x bytes in %s, where the largest has 0x%x"
                .formatted(request, neededBytes, within, availableBytes),
            Optional.of(Figure.bytes(neededBytes)),
            Optional.of(Figure.bytes(availableBytes)),
            List.of(request.toString(), within.toString()),
            Source.rule("aperture, limit and reserved ranges of the IOVA allocator"),
            "free IOVAs, or allow the request a wider range"));
  }
}
