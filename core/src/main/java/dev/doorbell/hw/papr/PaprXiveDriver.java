package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Rollback;
import dev.doorbell.irq.EsbRegisters;
import dev.doorbell.irq.EventQueue;
import dev.doorbell.irq.EventStates;
import dev.doorbell.irq.InterruptSink;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Interrupts that a guest manages itself (XIVE): one queue for each processor, to which sources are routed by calls. A source is held back by marking it
/// pending in its page: what comes meanwhile is queued there, and sent when it is let go on. A processor that has something in its queue is acknowledged in
/// its context (TIMA) before the queue is read. Safe for use from many threads.
///
/// **Source**: Linux 6.12 `arch/powerpc/sysdev/xive/spapr.c` (calls, acknowledgement), `common.c` (`xive_do_source_eoi`, `xive_scan_interrupts`).
final class PaprXiveDriver implements PaprInterruptDriver {
  private final PaprCalls calls;
  private final PaprHardware.Exploitation hw;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<EventQueue> queues = new ArrayList<>();
  private final ArrivedSources arrived = new ArrivedSources();
  private final BitSet started = new BitSet();

  /// Held back by us.
  private final BitSet held = new BitSet();

  /// Held back, with nothing in a queue that would be ended.
  private final BitSet marked = new BitSet();

  private @Nullable RegisterBus[] pages = new RegisterBus[0x2000];

  private PaprXiveDriver(PaprCalls calls, PaprHardware.Exploitation hw) {
    this.calls = calls;
    this.hw = hw;
  }

  static PaprXiveDriver open(PaprCalls calls, PaprHardware.Exploitation hw) {
    PaprXiveDriver d = new PaprXiveDriver(calls.by("XIVE"), hw);
    d.call(XiveCalls.H_INT_RESET, 0);
    try (Rollback rollback = new Rollback()) {
      for (int cpu = 0; cpu < hw.servers().size(); cpu++) {
        d.begin(cpu, rollback);
      }
      rollback.commit();
    }
    return d;
  }

  private void begin(int cpu, Rollback rollback) {
    long bytes = 1L << hw.queueShift();
    long server = hw.servers().get(cpu);
    Pa queue = hw.frames().allocate(bytes, bytes);
    rollback.add(() -> hw.frames().free(queue, bytes));
    call(
        XiveCalls.H_INT_SET_QUEUE_CONFIG,
        XiveCalls.ALWAYS_NOTIFY.place(1),
        server,
        hw.priority(),
        queue.value(),
        hw.queueShift());
    rollback.add(() -> call(XiveCalls.H_INT_SET_QUEUE_CONFIG, 0, server, hw.priority(), 0, 0));
    queues.add(new EventQueue(hw.memory(), AddressRange.ofSize(queue.value(), bytes)));
    hw.pages()
        .context(cpu)
        .write(ContextRegisters.CPPR.offset(), ContextRegisters.LEAST_FAVORED, Byte.BYTES);
  }

  /// {@return what a call tells, behind the status}
  private long[] call(long number, long... arguments) {
    long[] r = new long[6];
    r[0] = number;
    System.arraycopy(arguments, 0, r, 1, arguments.length);
    long status = calls.hcall(0, r);
    if (status != Calls.H_SUCCESS) {
      throw calls.refused(number, status);
    }
    return r;
  }

  @Override
  public int cpus() {
    return queues.size();
  }

  @Override
  public void start(int number, int cpu, boolean hold) {
    require(cpu);
    lock.lock();
    try {
      long entries = (1L << hw.queueShift()) / Integer.BYTES;
      if (!started.get(number) && started.cardinality() >= entries) {
        throw PaprException.queueFull("XIVE", started.cardinality() + 1L, entries);
      }
      arrived.place(number, cpu);
      keep(number, page(number));
      route(number, cpu);
      started.set(number);
      held.set(number, hold);
      marked.set(number, hold);
      state(number, hold ? EsbRegisters.PENDING : EsbRegisters.RESET);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void stop(int number) {
    lock.lock();
    try {
      state(number, EsbRegisters.OFF);
      call(XiveCalls.H_INT_SYNC, 0, number);
      drain();
      call(XiveCalls.H_INT_SET_SOURCE_CONFIG, 0, number, 0, XiveCalls.MASKED, 0);
      started.clear(number);
      held.clear(number);
      marked.clear(number);
      arrived.forget(number);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void move(int number, int cpu, boolean hold) {
    require(cpu);
    lock.lock();
    try {
      route(number, cpu);
      drain();
      arrived.place(number, cpu);
    } finally {
      lock.unlock();
    }
  }

  private void require(int cpu) {
    if (cpu < 0 || cpu >= queues.size()) {
      throw new IllegalArgumentException(
          "the machine has CPUs 0 to %d and not %d".formatted(queues.size() - 1, cpu));
    }
  }

  private void route(int number, int cpu) {
    call(
        XiveCalls.H_INT_SET_SOURCE_CONFIG,
        XiveCalls.SET_EISN.place(1),
        number,
        hw.servers().get(cpu),
        hw.priority(),
        number);
  }

  /// An event that is under way is told, and the next one kept.
  @Override
  public void hold(int number) {
    lock.lock();
    try {
      long before = state(number, EsbRegisters.PENDING);
      if (before == EsbRegisters.QUEUED) {
        state(number, EsbRegisters.QUEUED);
      }
      held.set(number);
      marked.set(number, before == EsbRegisters.RESET);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void letThrough(int number) {
    lock.lock();
    try {
      held.clear(number);
      if (marked.get(number)) {
        marked.clear(number);
        load(number, EsbRegisters.EOI.offset());
      }
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
    long[] told = call(XiveCalls.H_INT_GET_SOURCE_CONFIG, 0, number);
    out.put(PaprRoutes.EXPLOITED, 1L);
    out.put(PaprRoutes.server(number), told[1]);
    out.put(PaprRoutes.priority(number), told[2]);
    lock.lock();
    try {
      if (started.get(number)) {
        out.put(PaprRoutes.state(number), load(number, EsbRegisters.GET.offset()));
      }
    } finally {
      lock.unlock();
    }
  }

  /// A look at a queue in memory costs no call.
  private void drain() {
    for (int cpu = 0; cpu < queues.size(); cpu++) {
      EventQueue queue = queues.get(cpu);
      int number = queue.peek();
      if (number == EventQueue.EMPTY) {
        continue;
      }
      RegisterBus context = hw.pages().context(cpu);
      long unused = context.read(ContextRegisters.ACK.offset(), ContextRegisters.ACK.bytes());
      while (number != EventQueue.EMPTY) {
        queue.advance();
        arrive(number, cpu);
        number = queue.peek();
      }
      context.write(ContextRegisters.CPPR.offset(), ContextRegisters.LEAST_FAVORED, Byte.BYTES);
    }
  }

  /// What is in a queue of sources that were not started is passed over. The event of one that is held back is not ended, so that its page keeps the next.
  private void arrive(int number, int cpu) {
    if (!started.get(number)) {
      return;
    }
    arrived.arrive(number, cpu);
    if (held.get(number)) {
      marked.set(number);
    } else {
      load(number, EsbRegisters.EOI.offset());
    }
  }

  private void keep(int number, @Nullable RegisterBus page) {
    if (number >= pages.length) {
      pages = Arrays.copyOf(pages, 2 * number);
    }
    pages[number] = page;
  }

  /// {@return the page of a source; null where it is reached by calls alone}
  private @Nullable RegisterBus page(int number) {
    long[] told = call(XiveCalls.H_INT_GET_SOURCE_INFO, 0, number);
    return XiveCalls.BY_CALL.isSet(told[1])
        ? null
        : hw.pages().registers(AddressRange.ofSize(told[2], 1L << told[4]));
  }

  /// {@return the state before}
  private long state(int number, int pq) {
    return load(number, EsbRegisters.setting(pq).offset()) & EsbRegisters.PQ.mask();
  }

  private long load(int number, long offset) {
    RegisterBus page = pages[number];
    if (page != null) {
      return page.read64(offset);
    }
    long answer = call(XiveCalls.H_INT_ESB, 0, number, offset, 0)[1];
    if (answer == EventStates.NOTHING) {
      throw calls.refused(XiveCalls.H_INT_ESB, answer);
    }
    return answer;
  }
}
