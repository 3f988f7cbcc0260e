package dev.doorbell.hw.gicv2m;

import static dev.doorbell.hw.gicv2m.GicV2mRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.MmioDevice;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;

/// A GICv2m frame: a write of an SPI's number to MSI_SETSPI_NS pulses that SPI's line, whoever writes. Numbers outside the frame and
/// writes beside the register change nothing.
///
/// **Source**: ARM DEN 0029 v2.2 (Server Base System Architecture), pages 35 to 39, as QEMU's `hw/intc/arm_gicv2m.c` cites it.
public final class GicV2mModel implements MmioDevice {
  private final int baseSpi;
  private final InterruptLine[] lines;
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private final LongAdder dropped = new LongAdder();

  /// @param baseSpi first SPI, 32 at least
  /// @param spiCount SPIs, all at or below 1019
  /// @param spis the distributor's lines by INTID
  /// @throws IllegalArgumentException when the SPIs are not ones that a frame can have
  public GicV2mModel(int baseSpi, int spiCount, IntFunction<InterruptLine> spis) {
    if (baseSpi < FIRST_SPI || spiCount < 1 || spiCount > LAST_SPI + 1 - baseSpi) {
      throw new IllegalArgumentException(
          "a frame of %d SPIs from %d; SPIs are %d to %d"
              .formatted(spiCount, baseSpi, FIRST_SPI, LAST_SPI));
    }
    this.baseSpi = baseSpi;
    this.lines = new InterruptLine[spiCount];
    for (int i = 0; i < spiCount; i++) {
      lines[i] = spis.apply(baseSpi + i);
    }
    long typer = SPI_BASE.place(baseSpi) | SPI_COUNT.place(spiCount);
    ports.on(TYPER, i -> typer);
    ports.on(SETSPI_NS, i -> 0).alsoBy(SETSPI_NS, Short.BYTES);
  }

  @Override
  public BusRead read(long offset, int bytes) {
    return ports.answers(offset, bytes)
        ? BusRead.ok(ports.read(offset, bytes))
        : BusRead.error(bytes);
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    // Devices' messages come here: no look-up and no object for them.
    if (offset == SETSPI_NS.offset() && (bytes == Integer.BYTES || bytes == Short.BYTES)) {
      message(value);
      return BusOutcome.OK;
    }
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    ports.write(offset, value, bytes);
    return BusOutcome.OK;
  }

  /// {@return messages whose datum was not an SPI of the frame}
  public long droppedMessages() {
    return dropped.sum();
  }

  private void message(long value) {
    int index = SPI.getInt(value) - baseSpi;
    if (index >= 0 && index < lines.length) {
      lines[index].pulse();
    } else {
      dropped.increment();
    }
  }
}
