package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;

/// There is no free block for a request.
public final class IovaExhausted extends IovaException {
  private static final long serialVersionUID = 1L;

  private final long neededBytes;
  private final long availableBytes;

  IovaExhausted(IovaRequest request, AddressRange within, long neededBytes, long availableBytes) {
    super(
        "%s needs a free aligned block of 0x%x bytes in %s, where the largest has 0x%x; free some or allow a wider range"
            .formatted(request, neededBytes, within, availableBytes));
    this.neededBytes = neededBytes;
    this.availableBytes = availableBytes;
  }

  /// {@return size and alignment of the block that the request needs, in bytes}
  public long neededBytes() {
    return neededBytes;
  }

  /// {@return size of the largest free aligned block where the request may lie, in bytes; 0 when all is taken}
  public long availableBytes() {
    return availableBytes;
  }
}
