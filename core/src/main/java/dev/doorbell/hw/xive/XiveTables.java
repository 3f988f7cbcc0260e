package dev.doorbell.hw.xive;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Rollback;
import dev.doorbell.irq.EventQueue;
import dev.doorbell.irq.XiveEventLayout;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// The tables of an XIVE in memory: assignments of each block of sources, and descriptors and targets of the threads, all of them in block 0.
///
/// A queue has room for all sources at once: as each has one event on its way at most, none is ever written over.
final class XiveTables {
  /// Priority of everything.
  static final int PRIORITY = 6;

  private static final long ENDS =
      (long) NvtLayout.ENTRIES * EndLayout.PRIORITIES * EndLayout.BYTES;

  private final PhysicalMemory memory;
  private final XiveGeneration generation;
  private final Map<Integer, Long> eat = new TreeMap<>();
  private final Map<Integer, Long> eatBytes = new TreeMap<>();
  private final long ends;
  private final long targets;
  private final EventQueue[] queues;

  /// @throws OutOfFramesException when there is no memory; nothing is kept then
  XiveTables(XiveHardware hw) {
    memory = hw.memory();
    generation = hw.generation();
    try (Rollback rollback = new Rollback()) {
      for (XiveHardware.Sources s : hw.sources()) {
        int block = XiveEventLayout.NUMBER_BLOCK.getInt(s.last());
        long most = XiveEventLayout.NUMBER_INDEX.get(s.last()) + 1;
        eatBytes.merge(block, powerOfTwo(most * EasLayout.BYTES), Math::max);
      }
      eatBytes.forEach((block, bytes) -> eat.put(block, take(hw, bytes, rollback)));
      ends = take(hw, ENDS, rollback);
      targets = take(hw, targetBytes(), rollback);
      queues = new EventQueue[hw.threads().size()];
      long sources = hw.sources().stream().mapToLong(XiveHardware.Sources::count).sum();
      long bytes = powerOfTwo(sources * XiveEventLayout.ENTRY_BYTES);
      for (int cpu = 0; cpu < queues.length; cpu++) {
        long queue = take(hw, bytes, rollback);
        queues[cpu] = new EventQueue(memory, AddressRange.ofSize(queue, bytes));
        write(hw.threads().get(cpu), queue, bytes);
      }
      rollback.commit();
    }
    memory.publish();
  }

  private static long powerOfTwo(long bytes) {
    return Math.max(EndLayout.LEAST_QUEUE, Long.highestOneBit(bytes - 1) << 1);
  }

  private static long take(XiveHardware hw, long bytes, Rollback rollback) {
    Pa at = hw.frames().allocate(bytes, bytes);
    rollback.add(() -> hw.frames().free(at, bytes));
    return at.value();
  }

  private void write(int thread, long queue, long bytes) {
    int index = NvtLayout.index(thread);
    word(targets + (long) index * generation.targetBytes(), 0, NvtLayout.VALID.place(1));
    long end = ends + (long) end(thread) * EndLayout.BYTES;
    long[] words = generation.descriptor(queue, bytes, index, PRIORITY);
    for (int i = words.length - 1; i >= 0; i--) {
      word(end, i, words[i]);
    }
  }

  private long targetBytes() {
    return (long) NvtLayout.ENTRIES * generation.targetBytes();
  }

  private void word(long at, int index, long value) {
    memory.write32(at + (long) index * Integer.BYTES, (int) EndLayout.swapped(value));
  }

  /// {@return the descriptor of a thread}
  static int end(int thread) {
    return NvtLayout.index(thread) * EndLayout.PRIORITIES + PRIORITY;
  }

  EventQueue queue(int cpu) {
    return queues[cpu];
  }

  /// {@return descriptors of the assignments' tables, by block}
  Map<Integer, Long> assignments() {
    Map<Integer, Long> out = new TreeMap<>();
    eatBytes.forEach((block, bytes) ->
        out.put(block, VsdLayout.direct(Objects.requireNonNull(eat.get(block)), bytes)));
    return out;
  }

  long descriptors() {
    return VsdLayout.direct(ends, ENDS);
  }

  long targets() {
    return VsdLayout.direct(targets, targetBytes());
  }

  /// Writes where a source's events go.
  void assign(int number, long eas) {
    long at =
        Objects.requireNonNull(eat.get(XiveEventLayout.NUMBER_BLOCK.getInt(number)))
            + XiveEventLayout.NUMBER_INDEX.get(number) * EasLayout.BYTES;
    memory.write64(at, EasLayout.swapped(eas));
    memory.publish();
  }
}
