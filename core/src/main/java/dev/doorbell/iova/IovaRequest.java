package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;

/// What is asked of an {@link IovaAllocator}. Immutable; make one for each kind of request and use it again, so that
/// asking allocates nothing.
public final class IovaRequest {
  private static final AddressRange LOW = new AddressRange(0, 0xffff_ffffL);
  private static final AddressRange HIGH = new AddressRange(0x1_0000_0000L, -1L);

  private final long bytes;
  private final long alignment;
  private final AddressRange within;
  private final boolean prefer32Bit;
  private final AddressRange preferred;

  private IovaRequest(long bytes, long alignment, AddressRange within, boolean prefer32Bit) {
    this.bytes = bytes;
    this.alignment = alignment;
    this.within = within;
    this.prefer32Bit = prefer32Bit;
    this.preferred = within.intersection(prefer32Bit ? LOW : HIGH).orElse(within);
  }

  /// {@return a request for some bytes, anywhere, aligned to a granule}
  ///
  /// @param bytes above 0; rounded up to granules
  /// @throws IllegalArgumentException when there are no bytes, or more than 2^63
  public static IovaRequest ofBytes(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException(
          "a request for 0x%x bytes; it must be above 0 and at most 2^63 - 1".formatted(bytes));
    }
    return new IovaRequest(bytes, 1, AddressRange.ALL, false);
  }

  /// {@return this request, its start a multiple of an alignment}
  ///
  /// @param alignment power of two in bytes, at most 2^62
  public IovaRequest alignedTo(long alignment) {
    if (alignment <= 0 || Long.bitCount(alignment) != 1) {
      throw new IllegalArgumentException(
          "alignment 0x%x is not a power of two up to 2^62".formatted(alignment));
    }
    return new IovaRequest(bytes, alignment, within, prefer32Bit);
  }

  /// {@return this request, aligned to its size rounded up to a power of two, as Linux aligns DMA buffers}
  public IovaRequest naturallyAligned() {
    return alignedTo(bytes == 1 ? 1 : Long.highestOneBit(bytes - 1) << 1);
  }

  /// {@return this request, with a highest address: the last byte lies at or below it}
  public IovaRequest upTo(long limit) {
    return within(new AddressRange(0, limit));
  }

  /// {@return this request, all of it within a range}
  public IovaRequest within(AddressRange range) {
    return new IovaRequest(bytes, alignment, range, prefer32Bit);
  }

  /// {@return this request, below 4 GiB if there is room and only then above}
  ///
  /// A request that does not prefer so is served from above 4 GiB first, to leave the scarce room to devices that reach no further.
  public IovaRequest prefer32Bit() {
    return new IovaRequest(bytes, alignment, within, true);
  }

  public long bytes() {
    return bytes;
  }

  public long alignment() {
    return alignment;
  }

  public AddressRange within() {
    return within;
  }

  public boolean prefers32Bit() {
    return prefer32Bit;
  }

  /// {@return where to look first: below 4 GiB or above, if the request may lie there}
  AddressRange preferred() {
    return preferred;
  }

  @Override
  public String toString() {
    return "request for 0x%x bytes aligned to 0x%x".formatted(bytes, alignment);
  }
}
