package dev.doorbell.hw.pcie;

import dev.doorbell.pci.ConfigSpace;

/// The configuration space where no function answers: all ones, and writes vanish.
enum NoFunction implements ConfigSpace {
  INSTANCE;

  @Override
  public int size() {
    return 0;
  }

  @Override
  public int read(int offset, int bytes) {
    ConfigSpace.check(offset, bytes);
    return -1 >>> (Integer.SIZE - bytes * Byte.SIZE);
  }

  @Override
  public void write(int offset, int value, int bytes) {
    ConfigSpace.check(offset, bytes);
  }
}
