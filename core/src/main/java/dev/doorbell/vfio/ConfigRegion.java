package dev.doorbell.vfio;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.ConfigSpace;

/// A configuration space as a region.
///
/// @param config what its user sees
record ConfigRegion(ConfigSpace config) implements RegisterBus {
  @Override
  public long read(long offset, int bytes) {
    int at = check(offset, bytes);
    if (bytes == Long.BYTES) {
      return read(offset, Integer.BYTES)
          | read(offset + Integer.BYTES, Integer.BYTES) << Integer.SIZE;
    }
    return Integer.toUnsignedLong(config.read(at, bytes));
  }

  @Override
  public void write(long offset, long value, int bytes) {
    int at = check(offset, bytes);
    if (bytes == Long.BYTES) {
      write(offset, value, Integer.BYTES);
      write(offset + Integer.BYTES, value >>> Integer.SIZE, Integer.BYTES);
    } else {
      config.write(at, (int) value, bytes);
    }
  }

  private int check(long offset, int bytes) {
    boolean size = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    if (!size || offset < 0 || offset % bytes != 0 || offset > config.size() - bytes) {
      throw new IllegalArgumentException(
          "access of %d bytes at 0x%x of a configuration space of 0x%x bytes"
              .formatted(bytes, offset, config.size()));
    }
    return (int) offset;
  }
}
