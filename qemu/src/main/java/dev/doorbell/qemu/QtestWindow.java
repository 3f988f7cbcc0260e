package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.RegisterBus;

/// A window onto registers, each access one command. A read of nothing answers 0: qtest has no bus errors.
///
/// @param range physical addresses
record QtestWindow(Qtest qtest, AddressRange range) implements RegisterBus {
  @Override
  public long read(long offset, int bytes) {
    return qtest.read(check("read", offset, bytes), bytes);
  }

  @Override
  public void write(long offset, long value, int bytes) {
    qtest.write(check("write", offset, bytes), value, bytes);
  }

  private long check(String operation, long offset, int bytes) {
    long address = range.start() + offset;
    if (offset < 0 || offset > range.last() - range.start() - (bytes - 1)) {
      throw new BusErrorException(operation + " outside window " + range, address, bytes);
    }
    if (address % bytes != 0) {
      throw new BusErrorException("unaligned " + operation, address, bytes);
    }
    return address;
  }
}
