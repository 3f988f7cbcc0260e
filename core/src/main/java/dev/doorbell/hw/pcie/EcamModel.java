package dev.doorbell.hw.pcie;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.EcamLayout;
import java.util.Optional;

/// The ECAM window of a root complex: 1 MiB a bus, 32 KiB a device, 4 KiB a function.
///
/// Requests that no function answers complete with all ones, writes vanish. Accesses of 8 bytes are two of 4.
///
/// **Source**: PCI Express Base 6.0, 7.2.2.
final class EcamModel implements MmioDevice {
  private final RootComplexModel complex;
  private final int firstBus;

  EcamModel(RootComplexModel complex, int firstBus) {
    this.complex = complex;
    this.firstBus = firstBus;
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!aligned(offset, bytes)) {
      return BusRead.error(bytes);
    }
    if (bytes == Long.BYTES) {
      return BusRead.ok(
          word(offset, Integer.BYTES)
              | word(offset + Integer.BYTES, Integer.BYTES) << Integer.SIZE);
    }
    return BusRead.ok(word(offset, bytes));
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!aligned(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    int first = Math.min(bytes, Integer.BYTES);
    config(offset).ifPresent(c -> c.write(EcamLayout.REGISTER.getInt(offset), (int) value, first));
    if (bytes == Long.BYTES) {
      long next = offset + Integer.BYTES;
      config(next)
          .ifPresent(c ->
              c.write(EcamLayout.REGISTER.getInt(next), (int) (value >>> Integer.SIZE), first));
    }
    return BusOutcome.OK;
  }

  private long word(long offset, int bytes) {
    long ones = -1L >>> (Long.SIZE - bytes * Byte.SIZE);
    return config(offset)
        .map(c -> c.read(EcamLayout.REGISTER.getInt(offset), bytes) & ones)
        .orElse(ones);
  }

  private Optional<ConfigSpace> config(long offset) {
    int bus = firstBus + EcamLayout.BUS.getInt(offset);
    return bus > EcamLayout.BUS.max() || offset > EcamLayout.LAST
        ? Optional.empty()
        : complex
            .function(bus, EcamLayout.DEVICE.getInt(offset), EcamLayout.FUNCTION.getInt(offset))
            .map(FunctionModel::config);
  }

  private static boolean aligned(long offset, int bytes) {
    return bytes > 0
        && bytes <= Long.BYTES
        && Integer.bitCount(bytes) == 1
        && offset >= 0
        && offset % bytes == 0;
  }
}
