package dev.doorbell.hw.mpic;

import static dev.doorbell.hw.mpic.MpicMsiRegisters.MAP;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.SystemBus;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// A bank of message interrupts. A write to its index register, by whomever, sets the bit that it names; reading an MSIR clears it.
public final class MpicMsiModel implements MmioDevice {
  private final boolean wide;
  private final AtomicIntegerArray pending;
  private final RegisterPorts ports = new RegisterPorts(MAP);

  /// @param wide whether it has MSIIR1 and sixteen MSIRs
  public MpicMsiModel(boolean wide) {
    this.wide = wide;
    pending =
        new AtomicIntegerArray(wide ? MpicMsiRegisters.WIDE_REGISTERS : MpicMsiRegisters.REGISTERS);
    ports.on(
        MpicMsiRegisters.MSIR,
        i -> i < pending.length() ? Integer.toUnsignedLong(pending.getAndSet(i, 0)) : 0);
    ports.on(MpicMsiRegisters.MSISR, _ -> status());
  }

  private long status() {
    long s = 0;
    for (int i = 0; i < pending.length(); i++) {
      s += pending.get(i) != 0 ? 1L << i : 0;
    }
    return s;
  }

  @Override
  public BusRead read(long offset, int bytes) {
    return ports.answers(offset, bytes)
        ? BusRead.ok(ports.read(offset, bytes))
        : BusRead.error(bytes);
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (bytes != Integer.BYTES) {
      return BusOutcome.ERROR;
    }
    if (offset == MpicMsiRegisters.MSIIR.offset() && !wide) {
      ring(value, requester);
    } else if (offset == MpicMsiRegisters.MSIIR1.offset() && wide) {
      ring(value, requester);
    }
    return BusOutcome.OK;
  }

  /// A function's write is little-endian, and the register big-endian.
  private void ring(long value, int requester) {
    long word = requester == SystemBus.CPU ? value : MpicMsiRegisters.swapped(value);
    int number = MpicMsiRegisters.named(word, wide);
    int bit = 1 << MpicMsiRegisters.bit(number, wide);
    pending.getAndAccumulate(
        MpicMsiRegisters.register(number, wide), bit, (have, more) -> have | more);
  }

  /// {@return the index register, four bytes, where it is repeated}
  public MmioDevice alias() {
    return new Alias();
  }

  private final class Alias implements MmioDevice {
    @Override
    public BusRead read(long offset, int bytes) {
      return BusRead.ok(0);
    }

    @Override
    public BusOutcome write(long offset, long value, int bytes, int requester) {
      return offset == 0
          ? MpicMsiModel.this.write(
              wide ? MpicMsiRegisters.MSIIR1.offset() : MpicMsiRegisters.MSIIR.offset(),
              value,
              bytes,
              requester)
          : BusOutcome.OK;
    }
  }
}
