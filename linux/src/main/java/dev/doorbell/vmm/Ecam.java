package dev.doorbell.vmm;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;

/// Configuration spaces in memory: one bus with one function.
///
/// **Source**: PCI Express Base 6.0, 7.2.2
record Ecam(Sbdf place, ConfigSpace function) implements RegisterBus {
  private static final int FUNCTION_BYTES = 0x1000;
  private static final long NOTHING = -1;

  private boolean isThere(long offset) {
    return offset / FUNCTION_BYTES == place.requesterId();
  }

  @Override
  public long read(long offset, int bytes) {
    return isThere(offset) && bytes <= Integer.BYTES
        ? Integer.toUnsignedLong(function.read((int) (offset % FUNCTION_BYTES), bytes))
        : NOTHING;
  }

  @Override
  public void write(long offset, long value, int bytes) {
    if (isThere(offset) && bytes <= Integer.BYTES) {
      function.write((int) (offset % FUNCTION_BYTES), (int) value, bytes);
    }
  }
}
