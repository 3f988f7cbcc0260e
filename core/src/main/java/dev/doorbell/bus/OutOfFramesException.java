package dev.doorbell.bus;

/// The machine has no free memory for a table.
public final class OutOfFramesException extends BusException {
  private static final long serialVersionUID = 1L;

  public OutOfFramesException(long bytes, long free) {
    super("a table needs %d bytes of memory and %d are free".formatted(bytes, free));
  }
}
