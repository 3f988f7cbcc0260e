package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A range that was to be placed or reserved meets one that is there.
public final class IovaTaken extends IovaException {
  private static final long serialVersionUID = 1L;

  private final transient AddressRange other;
  private final boolean reserved;

  IovaTaken(AddressRange wanted, AddressRange other, boolean reserved) {
    super(
        new Refusal(
            "IovaTaken",
            "%s overlaps %s, which is %s"
                .formatted(wanted, other, reserved ? "reserved" : "allocated"),
            Optional.empty(),
            Optional.empty(),
            List.of(wanted.toString(), other.toString()),
            Source.rule((reserved ? "reserved" : "allocated") + " ranges of the IOVA allocator"),
            reserved ? "place it outside " + other : "free " + other + " first"));
    this.other = other;
    this.reserved = reserved;
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
