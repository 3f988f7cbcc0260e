package dev.doorbell.diff;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Memory as an IOMMU may see it that keeps entries until they are invalidated: each entry is what it is, or what it was. What is written to it
/// stays here.
final class IommuView implements PhysicalMemory {
  private final ComparedIommu iommu;
  private final PhysicalMemory memory;
  private final IommuEntries entries;
  private final Attempt attempt;
  private final Choices choices;
  private Reading reading = (_, _, word) -> word;
  private final Map<Long, Long> words = new HashMap<>();
  private boolean asking;

  /// How entries are read.
  interface Reading {
    /// {@return what a doubleword of an entry is taken for}
    long word(ComparedIommu.Kind kind, long address, long word);
  }

  IommuView(
      ComparedIommu iommu,
      PhysicalMemory memory,
      IommuEntries entries,
      Attempt attempt,
      Choices choices) {
    this.iommu = iommu;
    this.memory = memory;
    this.entries = entries;
    this.attempt = attempt;
    this.choices = choices;
  }

  /// {@return the same with other words}
  IommuView with(Map<Long, Long> other) {
    IommuView out = reading(reading);
    out.words.putAll(other);
    return out;
  }

  /// {@return the same, but that entries are taken for something else}
  IommuView reading(Reading other) {
    IommuView out = new IommuView(iommu, memory, entries, attempt, choices);
    out.reading = other;
    out.words.putAll(words);
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
    List<long[]> permitted = entries.permitted(memory, start, kind.get(), attempt, this::domain);
    long[] entry = permitted.get(permitted.size() == 1 ? 0 : choices.choose(permitted.size()));
    for (int i = 0; i < entry.length; i++) {
      words.putIfAbsent(start + (long) i * Long.BYTES, entry[i]);
    }
    return words.getOrDefault(at, 0L);
  }

  /// The domain that the device's entry names, as it was chosen; of the entry that is being chosen, as it is.
  private int domain() {
    if (asking) {
      return iommu.domain(memory, attempt.requester());
    }
    asking = true;
    try {
      return iommu.domain(this, attempt.requester());
    } finally {
      asking = false;
    }
  }

  @Override
  public long read(long pa, int bytes) {
    if (!iommu.board().holds(pa, bytes)) {
      throw new BusErrorException("read", pa, bytes);
    }
    int shift = Byte.SIZE * (int) (pa & Long.BYTES - 1);
    long at = pa & -Long.BYTES;
    long word = word(at);
    var kind = iommu.kind(at);
    long taken = kind.isEmpty() ? word : reading.word(kind.get(), at, word);
    return taken >>> shift & -1L >>> Long.SIZE - bytes * Byte.SIZE;
  }

  @Override
  public void write(long pa, long value, int bytes) {
    if (!iommu.board().holds(pa, bytes)) {
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
