package dev.doorbell.bus;

/// Nothing answers at a physical address, or not with that size.
public final class BusErrorException extends BusException {
  private static final long serialVersionUID = 1L;

  public BusErrorException(String operation, long address, int bytes) {
    super("%s of %d bytes at 0x%x is answered by nothing".formatted(operation, bytes, address));
  }
}
