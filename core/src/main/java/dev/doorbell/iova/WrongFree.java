package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Something that is not an allocated range, whole, was to be freed. A sign of a second free, or of memory that the
/// caller does not own.
public final class WrongFree extends IovaException {
  private static final long serialVersionUID = 1L;

  WrongFree(AddressRange asked, String found) {
    super(
        new Refusal(
            "WrongFree",
            "cannot free %s: %s".formatted(asked, found),
            Optional.empty(),
            Optional.empty(),
            List.of(asked.toString()),
            Source.rule("allocated ranges of the IOVA allocator"),
            "free each range once, whole, as it was allocated"));
  }
}
