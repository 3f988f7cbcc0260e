package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;

/// Something that is not an allocated range, whole, was to be freed. A sign of a second free, or of memory that the
/// caller does not own.
public final class WrongFree extends IovaException {
  private static final long serialVersionUID = 1L;

  private final transient AddressRange asked;

  WrongFree(AddressRange asked, String found) {
    super("cannot free %s: %s".formatted(asked, found));
    this.asked = asked;
  }

  public AddressRange asked() {
    return asked;
  }
}
