package dev.doorbell.bus;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The machine has no free memory for a table.
public final class OutOfFramesException extends BusException {
  private static final long serialVersionUID = 1L;

  public OutOfFramesException(long bytes, long free) {
    super(
        new Refusal(
            "OutOfFramesException",
            "a table needs %d bytes of memory and %d are free".formatted(bytes, free),
            Optional.of(Figure.bytes(bytes)),
            Optional.of(Figure.bytes(free)),
            List.of("memory for tables"),
            Source.rule("memory that the machine has for tables"),
            "unmap memory or close a domain, or give tables more memory"));
  }
}
