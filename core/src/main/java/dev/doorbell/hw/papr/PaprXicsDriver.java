package dev.doorbell.hw.papr;

import dev.doorbell.irq.InterruptSink;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/// Routes a guest's interrupts by RTAS, and takes them by calls of each processor (XICS). Safe for use from many threads.
///
/// **Source**: LoPAPR 1.1, 7.3.8, 14.5.4.3; Linux 6.12 `arch/powerpc/sysdev/xics/icp-hv.c`, `ics-rtas.c`.
final class PaprXicsDriver implements PaprInterruptDriver {
  /// Priority of everything that is not held back, as Linux has it.
  private static final int PRIORITY = 5;

  /// Interrupts that are taken of one processor at a time: what comes behind them has come since.
  private static final int MOST = 0x1_0000;

  private final PaprCalls calls;
  private final List<Long> servers;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrivedSources arrived = new ArrivedSources();
  private final long[] registers = new long[2];

  private PaprXicsDriver(PaprCalls calls, List<Long> servers) {
    this.calls = calls;
    this.servers = List.copyOf(servers);
  }

  /// {@return a driver of processors that take everything}
  ///
  /// @param servers their numbers, at least one and at most 128
  static PaprXicsDriver open(PaprCalls calls, List<Long> servers) {
    PaprXicsDriver d = new PaprXicsDriver(calls.by("XICS"), servers);
    for (int cpu = 0; cpu < servers.size(); cpu++) {
      d.call(cpu, Calls.H_CPPR, XirrLayout.LEAST_FAVORED);
    }
    return d;
  }

  @Override
  public int cpus() {
    return servers.size();
  }

  private long call(int cpu, long number, long argument) {
    registers[0] = number;
    registers[1] = argument;
    long status = calls.hcall(cpu, registers);
    if (status != Calls.H_SUCCESS) {
      throw calls.refused(number, status);
    }
    return registers[1];
  }

  @Override
  public void start(int number, int cpu, boolean held) {
    move(number, cpu, held);
    forget(number);
  }

  @Override
  public void stop(int number) {
    hold(number);
    forget(number);
  }

  @Override
  public void move(int number, int cpu, boolean held) {
    if (cpu < 0 || cpu >= servers.size()) {
      throw new IllegalArgumentException(
          "the machine has CPUs 0 to %d and not %d".formatted(servers.size() - 1, cpu));
    }
    lock.lock();
    try {
      calls.rtas(Calls.SET_XIVE, 1, number, servers.get(cpu).intValue(), PRIORITY);
      if (held) {
        calls.rtas(Calls.INT_OFF, 1, number);
      }
      drain();
      arrived.place(number, cpu);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void hold(int number) {
    calls.rtas(Calls.INT_OFF, 1, number);
  }

  @Override
  public void letThrough(int number) {
    calls.rtas(Calls.INT_ON, 1, number);
  }

  /// Forgets what has arrived of a source.
  private void forget(int number) {
    lock.lock();
    try {
      drain();
      arrived.forget(number);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void collect(BitSet of, InterruptSink sink) {
    lock.lock();
    try {
      drain();
      arrived.collect(of, sink);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int cpu(int number) {
    return arrived.cpu(number);
  }

  @Override
  public void tell(int number, Map<String, Long> out) {
    int[] told = calls.rtas(Calls.GET_XIVE, 3, number);
    out.put(PaprRoutes.server(number), Integer.toUnsignedLong(told[1]));
    out.put(PaprRoutes.priority(number), Integer.toUnsignedLong(told[2]));
  }

  private void drain() {
    for (int cpu = 0; cpu < servers.size(); cpu++) {
      boolean more = true;
      for (int i = 0; more && i < MOST; i++) {
        long xirr = call(cpu, Calls.H_XIRR, 0);
        int number = XirrLayout.XISR.getInt(xirr);
        more = number != 0;
        if (more) {
          if (number == XirrLayout.IPI) {
            endRequest(cpu);
          } else {
            arrived.arrive(number, cpu);
          }
          call(cpu, Calls.H_EOI, xirr);
        }
      }
    }
  }

  /// Another processor's request is nobody's here, and would come again.
  private void endRequest(int cpu) {
    long[] r = {Calls.H_IPI, servers.get(cpu), XirrLayout.LEAST_FAVORED};
    long status = calls.hcall(cpu, r);
    if (status != Calls.H_SUCCESS) {
      throw calls.refused(Calls.H_IPI, status);
    }
  }
}
