package dev.doorbell.hw.gicv2m;

import static dev.doorbell.hw.gicv2m.GicV2mRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.SpiController;
import java.util.BitSet;

/// Which SPIs one frame has, and which of them are taken. Callers synchronise.
final class SpiLedger {
  private record Spis(int first, int count, int offset) {}

  final String id;
  final Source source;
  final long doorbell;
  final int base;
  final int count;

  /// What the frame adds to the datum.
  final int offset;

  private final BitSet taken = new BitSet();

  private SpiLedger(String id, Source source, long doorbell, Spis spis) {
    this.id = id;
    this.source = source;
    this.doorbell = doorbell;
    this.base = spis.first();
    this.count = spis.count();
    this.offset = spis.offset();
  }

  /// {@return the ledger of a frame, as firmware or else MSI_TYPER tells}
  ///
  /// @throws MsiControllerFailed when its SPIs are not ones of the distributor
  static SpiLedger open(GicV2mFrame frame, SpiController distributor) {
    long typer = Integer.toUnsignedLong(frame.registers().read32(TYPER.offset()));
    int base = frame.spiBase().orElse(SPI_BASE.getInt(typer));
    int count = frame.spiCount().orElse(SPI_COUNT.getInt(typer));
    boolean told = frame.spiBase().isPresent() || frame.spiCount().isPresent();
    Source source =
        Source.rule((told ? "firmware and MSI_TYPER of " : "MSI_TYPER of ") + frame.id());
    if (base < FIRST_SPI || count < 1 || base + count - 1 > distributor.lastSpi()) {
      throw new MsiControllerFailed(
          frame.id(),
          "has %d SPIs from %d (MSI_TYPER 0x%x), and %s has SPIs %d to %d"
              .formatted(count, base, typer, distributor.id(), FIRST_SPI, distributor.lastSpi()),
          source);
    }
    Pa doorbell = frame.base().plus(SETSPI_NS.offset());
    long iidr = Integer.toUnsignedLong(frame.registers().read32(IIDR.offset()));
    Spis spis = new Spis(base, count, GicV2mErrata.spiOffset(iidr, base));
    return new SpiLedger(frame.id(), source, doorbell.value(), spis);
  }

  boolean overlaps(SpiLedger other) {
    return base < other.base + other.count && other.base < base + count;
  }

  int last() {
    return base + count - 1;
  }

  int free() {
    return count - taken.cardinality();
  }

  int data(int spi) {
    return spi - offset;
  }

  /// {@return the first SPI of a free run of `size`, a power of two, whose data start at a multiple of it; -1 when there is none}
  int findBlock(int size) {
    int first = (base - offset + size - 1) / size * size + offset;
    for (int spi = first; spi + size - 1 <= last(); spi += size) {
      int next = taken.nextSetBit(spi - base);
      if (next < 0 || next >= spi - base + size) {
        return spi;
      }
    }
    return -1;
  }

  /// {@return the size of the largest block that {@link #findBlock} would find, 0 when all are taken}
  int largestBlock() {
    int size = Integer.highestOneBit(count);
    while (size > 0 && findBlock(size) < 0) {
      size /= 2;
    }
    return size;
  }

  /// {@return the lowest free SPI; there must be one}
  int lowestFree() {
    return base + taken.nextClearBit(0);
  }

  void take(int spi) {
    taken.set(spi - base);
  }

  void giveBack(int spi) {
    taken.clear(spi - base);
  }
}
