package dev.doorbell.hw.xive;

import dev.doorbell.irq.EventQueue;
import dev.doorbell.irq.EventRouter;
import dev.doorbell.irq.InterruptSink;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/// Drives an XIVE: one queue for each CPU, to which sources are assigned. A thread that has something in its queue is acknowledged in its context
/// (TIMA) before the queue is read. Safe for use from many threads.
///
/// **Source**: skiboot 7.1 `hw/xive.c`, Linux 6.12 `arch/powerpc/sysdev/xive/common.c` (`xive_scan_interrupts`, `xive_read_eq`).
public final class XiveDriver implements EventRouter {
  private final String id;
  private final XivePort port;
  private final long base;
  private final List<Integer> threads;
  private final List<XiveHardware.Sources> sources;
  private final XiveTables tables;
  private final ReentrantLock lock = new ReentrantLock();
  private final int first;
  private final BitSet arrived = new BitSet();
  private final short[] cpus;

  private XiveDriver(XiveHardware hw) {
    id = hw.id();
    port = XivePort.of(hw);
    base = hw.base().value();
    threads = hw.threads();
    sources = hw.sources();
    tables = new XiveTables(hw);
    first = sources.stream().mapToInt(XiveHardware.Sources::first).min().orElseThrow();
    int last = sources.stream().mapToInt(XiveHardware.Sources::last).max().orElseThrow();
    cpus = new short[last - first + 1];
  }

  /// {@return a driver of an XIVE that it has given tables, every source silent}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables; nothing is kept then
  public static XiveDriver open(XiveHardware hw) {
    XiveDriver d = new XiveDriver(hw);
    d.port.start();
    d.tables
        .assignments()
        .forEach((block, vsd) -> d.port.table(hw.generation().assignments(), block, vsd));
    d.port.table(VsdLayout.ENDT, 0, d.tables.descriptors());
    d.port.table(VsdLayout.NVTT, 0, d.tables.targets());
    d.threads.forEach(d::start);
    return d;
  }

  private void start(int thread) {
    port.enable(thread);
    port.write(thread, TimaRegisters.W2, TimaRegisters.VT.place(1));
    port.write(thread, TimaRegisters.CPPR, TimaRegisters.LEAST_FAVORED);
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public int cpus() {
    return threads.size();
  }

  @Override
  public long notifyPort() {
    return base + port.notifyOffset();
  }

  /// {@return where its window is}
  public long base() {
    return base;
  }

  /// {@return descriptors of the tables in memory, by name: `EAT<block>`, `ENDT0`, `NVTT0`}
  public Map<String, Long> tables() {
    Map<String, Long> out = new TreeMap<>();
    tables.assignments().forEach((block, vsd) -> out.put("EAT" + block, vsd));
    out.put("ENDT0", tables.descriptors());
    out.put("NVTT0", tables.targets());
    return out;
  }

  @Override
  public void route(int number, int cpu) {
    requireSource(number);
    if (cpu < 0 || cpu >= threads.size()) {
      throw new IllegalArgumentException(
          "%s has CPUs 0 to %d and not %d".formatted(id, threads.size() - 1, cpu));
    }
    lock.lock();
    try {
      assign(
          number,
          EasLayout.VALID.place(1)
              | EasLayout.END_INDEX.place(XiveTables.end(threads.get(cpu)))
              | EasLayout.END_DATA.place(number));
      cpus[number - first] = (short) cpu;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void silence(int number) {
    requireSource(number);
    lock.lock();
    try {
      assign(number, 0);
      arrived.clear(number - first);
    } finally {
      lock.unlock();
    }
  }

  private void requireSource(int number) {
    if (sources.stream().noneMatch(s -> number >= s.first() && number <= s.last())) {
      throw new IllegalArgumentException("%s has no source 0x%x".formatted(id, number));
    }
  }

  /// Changes an assignment. On return events of the former one are all in {@link #arrived}.
  private void assign(int number, long eas) {
    tables.assign(number, eas);
    port.forget(number);
    drain();
  }

  private void drain() {
    for (int cpu = 0; cpu < threads.size(); cpu++) {
      EventQueue queue = tables.queue(cpu);
      int number = queue.peek();
      if (number == EventQueue.EMPTY) {
        continue;
      }
      int thread = threads.get(cpu);
      long unused = port.read(thread, TimaRegisters.ACK);
      while (number != EventQueue.EMPTY) {
        queue.advance();
        arrive(number, cpu);
        number = queue.peek();
      }
      port.write(thread, TimaRegisters.CPPR, TimaRegisters.LEAST_FAVORED);
    }
  }

  /// What is in a queue that no assignment of ours put there is passed over.
  private void arrive(int number, int cpu) {
    int index = number - first;
    if (index >= 0 && index < cpus.length) {
      arrived.set(index);
      cpus[index] = (short) cpu;
    }
  }

  @Override
  public int collect(int from, int last, InterruptSink sink) {
    int count = 0;
    lock.lock();
    try {
      drain();
      int index = arrived.nextSetBit(from - first);
      while (index >= 0 && index + first <= last) {
        arrived.clear(index);
        sink.arrived(index + first, cpus[index]);
        count++;
        index = arrived.nextSetBit(index + 1);
      }
    } finally {
      lock.unlock();
    }
    return count;
  }
}
