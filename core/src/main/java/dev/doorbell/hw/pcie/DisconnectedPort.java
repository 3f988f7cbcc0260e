package dev.doorbell.hw.pcie;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;

/// The way up of a function that is on no bus yet.
enum DisconnectedPort implements DmaPort {
  INSTANCE;

  @Override
  public BusOutcome write(int requesterId, long address, long value, int bytes) {
    return BusOutcome.ERROR;
  }

  @Override
  public BusRead read(int requesterId, long address, int bytes) {
    return BusRead.error(bytes);
  }
}
