package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/// Gives drivers memory for their tables out of one run of a machine's RAM: the lowest place that fits. Safe for use from many threads.
public final class FrameStore implements Frames {
  private static final long SMALLEST = 64;

  private final ReentrantLock lock = new ReentrantLock();
  private final PhysicalMemory memory;
  private final TreeMap<Long, Long> free = new TreeMap<>(Long::compareUnsigned);
  private final TreeMap<Long, Long> taken = new TreeMap<>(Long::compareUnsigned);
  private long inUse;

  public FrameStore(PhysicalMemory memory, AddressRange pool) {
    this.memory = memory;
    free.put(pool.start(), pool.bytes());
  }

  @Override
  public Pa allocate(long bytes, long alignment) {
    if (bytes <= 0 || Long.bitCount(alignment) != 1) {
      throw new IllegalArgumentException(
          "cannot allocate %d bytes aligned to %d".formatted(bytes, alignment));
    }
    long size = (bytes + SMALLEST - 1) & -SMALLEST;
    lock.lock();
    try {
      for (Map.Entry<Long, Long> gap : free.entrySet()) {
        long start = (gap.getKey() + alignment - 1) & -alignment;
        long before = start - gap.getKey();
        if (before >= 0 && gap.getValue() - before >= size) {
          take(gap.getKey(), gap.getValue(), start, size);
          taken.put(start, bytes);
          inUse += bytes;
          memory.fill(start, size, (byte) 0);
          return new Pa(start);
        }
      }
      throw new OutOfFramesException(
          bytes, free.values().stream().mapToLong(Long::longValue).sum());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void free(Pa start, long bytes) {
    lock.lock();
    try {
      Long had = taken.get(start.value());
      if (had == null || had != bytes) {
        throw new IllegalArgumentException(
            "%s with %d bytes was not taken (taken there: %s)".formatted(start, bytes, had));
      }
      taken.remove(start.value());
      inUse -= bytes;
      give(start.value(), (bytes + SMALLEST - 1) & -SMALLEST);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long bytesInUse() {
    lock.lock();
    try {
      return inUse;
    } finally {
      lock.unlock();
    }
  }

  private void take(long gap, long gapBytes, long start, long size) {
    free.remove(gap);
    if (start > gap) {
      free.put(gap, start - gap);
    }
    long end = start + size;
    if (gap + gapBytes > end) {
      free.put(end, gap + gapBytes - end);
    }
  }

  private void give(long start, long size) {
    long from = start;
    long bytes = size;
    Map.Entry<Long, Long> below = free.lowerEntry(start);
    if (below != null && below.getKey() + below.getValue() == start) {
      from = below.getKey();
      bytes += below.getValue();
      free.remove(from);
    }
    Long above = free.remove(start + size);
    free.put(from, above == null ? bytes : bytes + above);
  }
}
