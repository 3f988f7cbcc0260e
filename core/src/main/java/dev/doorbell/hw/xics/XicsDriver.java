package dev.doorbell.hw.xics;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.ServerRouter;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// Takes interrupts from presentation controllers, one controller a CPU. Which controller an interrupt comes to is its source's to say. Safe for use from
/// many threads.
///
/// **Source**: skiboot 7.1 `hw/interrupts.c`, Linux 6.12 `arch/powerpc/sysdev/xics/icp-native.c` (`icp_native_get_irq`, `icp_native_eoi`).
public final class XicsDriver implements ServerRouter {
  private final String id;
  private final List<XicsHardware.Server> servers;
  private final List<XicsHardware.Sources> sources;
  private final ReentrantLock lock = new ReentrantLock();
  private final int first;
  private final BitSet arrived = new BitSet();
  private final short[] cpus;

  private XicsDriver(XicsHardware hw) {
    id = hw.id();
    servers = hw.servers();
    sources = hw.sources();
    first = sources.stream().mapToInt(XicsHardware.Sources::first).min().orElseThrow();
    int last = sources.stream().mapToInt(XicsHardware.Sources::last).max().orElseThrow();
    cpus = new short[last - first + 1];
  }

  /// {@return a driver of controllers that let everything through, with no processor's request}
  public static XicsDriver open(XicsHardware hw) {
    XicsDriver d = new XicsDriver(hw);
    for (XicsHardware.Server s : d.servers) {
      endRequest(s.page());
      s.page()
          .write32(
              IcpRegisters.XIRR.offset(),
              (int) IcpRegisters.CPPR.place(IcpRegisters.LEAST_FAVORED));
    }
    return d;
  }

  private static void endRequest(RegisterBus page) {
    page.write(
        IcpRegisters.MFRR.offset(),
        IcpRegisters.PRIORITY.place(IcpRegisters.LEAST_FAVORED),
        IcpRegisters.MFRR.bytes());
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public int cpus() {
    return servers.size();
  }

  @Override
  public int server(int cpu) {
    requireCpu(cpu);
    return servers.get(cpu).number();
  }

  private void requireCpu(int cpu) {
    if (cpu < 0 || cpu >= servers.size()) {
      throw new IllegalArgumentException(
          "%s has CPUs 0 to %d and not %d".formatted(id, servers.size() - 1, cpu));
    }
  }

  @Override
  public void route(int number, int cpu) {
    requireSource(number);
    requireCpu(cpu);
    lock.lock();
    try {
      drain();
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
      drain();
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

  /// Takes all that is presented, at most once for each source and once more: what comes behind that has come since. One is ended at once: its source
  /// sends no other before it is told, too. Another processor's request is for nobody here, and stays unless its register is cleared.
  private void drain() {
    for (int cpu = 0; cpu < servers.size(); cpu++) {
      RegisterBus page = servers.get(cpu).page();
      boolean more = true;
      for (int i = 0; more && i <= cpus.length; i++) {
        int xirr = page.read32(IcpRegisters.XIRR.offset());
        more = IcpRegisters.XISR.get(xirr) != 0;
        if (more) {
          int number = IcpRegisters.XISR.getInt(xirr);
          if (number == IcpRegisters.REQUEST) {
            endRequest(page);
          } else {
            arrive(number, cpu);
          }
          page.write32(IcpRegisters.XIRR.offset(), xirr);
        }
      }
    }
  }

  /// What no source of ours sent is passed over.
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
