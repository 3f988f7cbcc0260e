package dev.doorbell.simple;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;

/// A model's registers as a driver sees them.
public record ModelRegisters(MmioDevice device) implements RegisterBus {
  @Override
  public long read(long offset, int bytes) {
    BusRead read = device.read(offset, bytes);
    if (read.outcome() == BusOutcome.ERROR) {
      throw new BusErrorException("read", offset, bytes);
    }
    return read.value();
  }

  @Override
  public void write(long offset, long value, int bytes) {
    if (device.write(offset, value, bytes, SystemBus.CPU) == BusOutcome.ERROR) {
      throw new BusErrorException("write", offset, bytes);
    }
  }
}
