package dev.doorbell.diff;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Memory as an IOMMU may see it that keeps entries until they are invalidated: each entry is what it is, or what it was. What is written to it
/// stays here.
final class PcView implements PhysicalMemory {
  private final PcIommu iommu;
  private final PhysicalMemory memory;
  private final PcEntries entries;
  private final Step.Access access;
  private final Choices choices;
  private final Map<Long, Long> words = new HashMap<>();
  private boolean asking;

  PcView(
      PcIommu iommu,
      PhysicalMemory memory,
      PcEntries entries,
      Step.Access access,
      Choices choices) {
    this.iommu = iommu;
    this.memory = memory;
    this.entries = entries;
    this.access = access;
    this.choices = choices;
  }

  /// {@return the same with other words}
  PcView with(Map<Long, Long> other) {
    PcView out = new PcView(iommu, memory, entries, access, choices);
    out.words.putAll(words);
    out.words.putAll(other);
    return out;
  }

  private long word(long at) {
    Long chosen = words.get(at);
    if (chosen != null) {
      return chosen;
    }
    var kind = iommu.kind(at);
    if (kind.isEmpty()) {
      return memory.read64(at);
    }
    int size = iommu.bytes(kind.get());
    long start = at & -size;
    List<long[]> permitted = entries.permitted(memory, start, kind.get(), access, this::domain);
    long[] entry = permitted.get(permitted.size() == 1 ? 0 : choices.choose(permitted.size()));
    for (int i = 0; i < entry.length; i++) {
      words.putIfAbsent(start + (long) i * Long.BYTES, entry[i]);
    }
    return words.getOrDefault(at, 0L);
  }

  /// The domain that the device's entry names, as it was chosen; of the entry that is being chosen, as it is.
  private int domain() {
    if (asking) {
      return iommu.domain(memory, access.requester());
    }
    asking = true;
    try {
      return iommu.domain(this, access.requester());
    } finally {
      asking = false;
    }
  }

  @Override
  public long read(long pa, int bytes) {
    if (pa < 0 || pa > Pc.RAM_BYTES - bytes) {
      throw new BusErrorException("read", pa, bytes);
    }
    int shift = Byte.SIZE * (int) (pa & Long.BYTES - 1);
    return word(pa & -Long.BYTES) >>> shift & -1L >>> Long.SIZE - bytes * Byte.SIZE;
  }

  @Override
  public void write(long pa, long value, int bytes) {
    if (pa < 0 || pa > Pc.RAM_BYTES - bytes) {
      throw new BusErrorException("write", pa, bytes);
    }
    int shift = Byte.SIZE * (int) (pa & Long.BYTES - 1);
    long mask = -1L >>> Long.SIZE - bytes * Byte.SIZE << shift;
    long at = pa & -Long.BYTES;
    words.put(at, word(at) & ~mask | value << shift & mask);
  }

  @Override
  public void read(long pa, byte[] into) {
    for (int i = 0; i < into.length; i++) {
      into[i] = (byte) read(pa + i, 1);
    }
  }

  @Override
  public void write(long pa, byte[] from) {
    for (int i = 0; i < from.length; i++) {
      write(pa + i, from[i], 1);
    }
  }

  @Override
  public void fill(long pa, long bytes, byte value) {
    for (long i = 0; i < bytes; i++) {
      write(pa + i, value, 1);
    }
  }

  /// One thread uses this memory.
  @Override
  public boolean compareAndSet64(long pa, long expected, long next) {
    boolean same = read64(pa) == expected;
    if (same) {
      write64(pa, next);
    }
    return same;
  }

  @Override
  public void publish() {}
}
