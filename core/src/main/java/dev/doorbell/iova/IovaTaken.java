package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;

/// A range that was to be placed or reserved meets one that is there.
public final class IovaTaken extends IovaException {
  private static final long serialVersionUID = 1L;

  private final transient AddressRange wanted;
  private final transient AddressRange other;
  private final boolean reserved;

  IovaTaken(AddressRange wanted, AddressRange other, boolean reserved) {
    super(
        "%s overlaps %s, which is %s"
            .formatted(wanted, other, reserved ? "reserved" : "allocated; free it first"));
    this.wanted = wanted;
    this.other = other;
    this.reserved = reserved;
  }

  public AddressRange wanted() {
    return wanted;
  }

  /// {@return the lowest range that is in the way, whole}
  public AddressRange other() {
    return other;
  }

  /// {@return whether the other range is reserved, not allocated}
  public boolean isReserved() {
    return reserved;
  }
}
