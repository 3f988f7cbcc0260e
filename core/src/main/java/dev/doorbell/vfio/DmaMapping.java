package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;

/// A buffer at IOVAs that its container chose. Devices of the container reach it until this is closed. Safe for use from many threads.
public final class DmaMapping implements AutoCloseable {
  private final Container container;
  private final AddressRange iovas;

  /// @param at where a container has just mapped a buffer
  public DmaMapping(Container container, Iova at, DmaBuffer buffer) {
    this.container = container;
    this.iovas = AddressRange.ofSize(at.value(), buffer.bytes());
  }

  /// {@return where devices see the buffer}
  public AddressRange iovas() {
    return iovas;
  }

  /// {@return where devices see a byte of the buffer}
  ///
  /// @throws IndexOutOfBoundsException when the buffer has not this byte
  public Iova at(long offset) {
    if (offset < 0 || Long.compareUnsigned(offset, iovas.last() - iovas.start()) > 0) {
      throw new IndexOutOfBoundsException(
          "byte 0x%x of a mapping of 0x%x bytes".formatted(offset, iovas.bytes()));
    }
    return new Iova(iovas.start() + offset);
  }

  /// Unmaps the buffer; on return no device reaches it. Where it is unmapped already, by whatever way, this does nothing: the IOVAs may be
  /// another mapping's by then. What {@link Container#unmap(AddressRange)} throws leaves it mapped, and it can be closed again.
  @Override
  public void close() {
    container.unmap(this);
  }
}
