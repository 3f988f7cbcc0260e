package dev.doorbell.qemu;

import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;

/// Configuration spaces through a PC's ports 0xcf8 and 0xcfc: the first 256 bytes of each function of segment 0. An access is two commands, sent
/// together.
///
/// **Threads**: safe.
public record ConfigPorts(Qtest qtest) {
  /// {@return a function's live space; all ones where no function answers}
  ///
  /// @throws IllegalArgumentException for a function of another segment
  public ConfigSpace config(Sbdf function) {
    if (function.segment() != 0) {
      throw new IllegalArgumentException(
          "ports 0xcf8 and 0xcfc reach segment 0 only, not " + function);
    }
    return new Space(
        qtest,
        ConfigPortsLayout.ENABLE.place(1)
            | ConfigPortsLayout.BUS.place(function.bus())
            | ConfigPortsLayout.DEVICE.place(function.device())
            | ConfigPortsLayout.FUNCTION.place(function.function()));
  }

  private record Space(Qtest qtest, long address) implements ConfigSpace {
    private static final int WORD = Integer.BYTES - 1;

    @Override
    public int size() {
      return ConfigPortsLayout.REACH;
    }

    @Override
    public int read(int offset, int bytes) {
      ConfigSpace.check(offset, bytes);
      if (offset >= size()) {
        return (int) (-1L >>> (Long.SIZE - bytes * Byte.SIZE));
      }
      QtestBatch batch = chosen(offset);
      int data = batch.in(ConfigPortsLayout.DATA_PORT + (offset & WORD), bytes);
      batch.run();
      return (int) batch.value(data);
    }

    @Override
    public void write(int offset, int value, int bytes) {
      ConfigSpace.check(offset, bytes);
      if (offset >= size()) {
        return;
      }
      QtestBatch batch = chosen(offset);
      batch.out(ConfigPortsLayout.DATA_PORT + (offset & WORD), value, bytes);
      batch.run();
    }

    private QtestBatch chosen(int offset) {
      QtestBatch batch = qtest.batch();
      long register = ConfigPortsLayout.REGISTER.place(offset / Integer.BYTES);
      batch.out(ConfigPortsLayout.ADDRESS_PORT, address | register, Integer.BYTES);
      return batch;
    }
  }
}
