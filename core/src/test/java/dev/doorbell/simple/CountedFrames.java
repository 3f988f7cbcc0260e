package dev.doorbell.simple;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.OutOfFramesException;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/// Frames out of a [PlainMemory], lowest first, that know every piece they gave out: giving back what was not given out, or with another
/// size, fails the test. Memory is filled with a pattern when it comes back, so that who still walks it is found out.
public final class CountedFrames implements Frames {
  private static final byte POISON = (byte) 0xa5;

  private final PlainMemory memory;
  private final long start;
  private final long bytes;
  private final TreeMap<Long, Long> given = new TreeMap<>();
  private long inUse;
  private long limit = Long.MAX_VALUE;
  private LongConsumer onFree = at -> {};

  public CountedFrames(PlainMemory memory, long start, long bytes) {
    this.memory = memory;
    this.start = start;
    this.bytes = bytes;
  }

  /// From now on at most so many bytes may be in use.
  public void limit(long most) {
    limit = most;
  }

  /// Called with the address of each piece that comes back.
  public void onFree(LongConsumer called) {
    onFree = called;
  }

  @Override
  public synchronized Pa allocate(long size, long alignment) {
    if (size > limit - inUse) {
      throw new OutOfFramesException(size, Math.max(0, limit - inUse));
    }
    long at = up(start, alignment);
    for (var piece : given.entrySet()) {
      if (at + size <= piece.getKey()) {
        break;
      }
      at = Math.max(at, up(piece.getKey() + piece.getValue(), alignment));
    }
    if (at + size > start + bytes) {
      throw new OutOfFramesException(size, bytes - inUse);
    }
    given.put(at, size);
    inUse += size;
    memory.fill(at, size, (byte) 0);
    return new Pa(at);
  }

  @Override
  public synchronized void free(Pa piece, long size) {
    Long had = given.remove(piece.value());
    if (had == null || had != size) {
      throw new AssertionError(
          "%s of %d bytes comes back; given out were %s".formatted(piece, size, had));
    }
    onFree.accept(piece.value());
    inUse -= size;
    memory.fill(piece.value(), size, POISON);
  }

  @Override
  public synchronized long bytesInUse() {
    return inUse;
  }

  private static long up(long value, long alignment) {
    return (value + alignment - 1) / alignment * alignment;
  }
}
