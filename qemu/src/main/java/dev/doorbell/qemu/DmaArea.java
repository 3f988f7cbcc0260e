package dev.doorbell.qemu;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.PhysicalMemory;

/// Memory that a function reaches by DMA, as a driver in user space is given it: the same bytes at one address for the CPU and at another for
/// the function.
///
/// @param iova where the function finds its first byte
/// @param pa where the CPU does
/// @param bytes size, all of it mapped for reading and writing
public record DmaArea(PhysicalMemory memory, Iova iova, Pa pa, long bytes) {
  public DmaArea {
    if (bytes <= 0) {
      throw new IllegalArgumentException("memory of %d bytes cannot be".formatted(bytes));
    }
  }

  /// {@return a part of it}
  DmaArea slice(long offset, long size) {
    if (offset < 0 || size > bytes || offset > bytes - size) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x are outside memory of 0x%x bytes".formatted(size, offset, bytes));
    }
    return new DmaArea(memory, new Iova(iova.value() + offset), new Pa(pa.value() + offset), size);
  }

  long read(long offset, int size) {
    return memory.read(pa.value() + offset, size);
  }

  void write(long offset, long value, int size) {
    memory.write(pa.value() + offset, value, size);
  }

  void clear() {
    memory.fill(pa.value(), bytes, (byte) 0);
  }
}
