package dev.doorbell.hw.papr;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.EsbRegisters;
import dev.doorbell.irq.EventStates;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.LongPredicate;

/// Interrupts that a guest manages itself (XIVE): the state of each source in a page of the guest's, a queue in its memory for each processor and priority,
/// and a context for each processor. The device is the window of the sources' pages: of each source one that triggers, then one that manages. Allocates
/// nothing on messages.
///
/// **Source**: QEMU `hw/intc/spapr_xive.c` (commit 05289273), compared with 7.2; Linux 6.12 `arch/powerpc/sysdev/xive/spapr.c`.
final class PaprXiveModel extends PaprInterruptsModel implements MmioDevice {
  /// Bytes of the window.
  static final long BYTES = 2L * COUNT * EsbRegisters.BYTES;

  /// Priorities from here on are the hypervisor's own.
  private static final int RESERVED = 7;

  private static final int PAGE_SHIFT = 16;
  private static final long PAGE_4K = 0x1000;
  private static final int ARGUMENTS = 5;

  private final LongPredicate isGuests;
  private final long pages;
  private final EventStates states = new EventStates(COUNT);
  private final IntConsumer send = this::send;
  private final PaprQueueModel[][] queues;
  private final PaprContextModel[] contexts;
  private final int[] target = new int[COUNT];
  private final int[] priority = new int[COUNT];
  private final boolean[] masked = new boolean[COUNT];
  private final int[] datum = new int[COUNT];

  /// @param isGuests whether a page begins at an address of the guest's memory
  /// @param pages where the window of the sources' pages is
  PaprXiveModel(PhysicalMemory memory, LongPredicate isGuests, List<Long> servers, long pages) {
    super(servers);
    this.isGuests = isGuests;
    this.pages = pages;
    contexts = new PaprContextModel[cpus()];
    Arrays.setAll(contexts, _ -> new PaprContextModel(this));
    queues = new PaprQueueModel[cpus()][RESERVED];
    for (PaprQueueModel[] of : queues) {
      Arrays.setAll(of, _ -> new PaprQueueModel(memory));
    }
  }

  /// {@return the context of a processor}
  RegisterBus context(int cpu) {
    return contexts[cpu];
  }

  @Override
  void begin(int at) {
    int unused = states.set(at, EsbRegisters.OFF);
    forget(at);
  }

  private void forget(int at) {
    target[at] = 0;
    priority[at] = 0;
    masked[at] = true;
    datum[at] = at + FIRST;
  }

  /// What is in a queue stays there: it is the guest's memory.
  @Override
  void end(int at) {
    int unused = states.set(at, EsbRegisters.OFF);
    masked[at] = true;
  }

  @Override
  void trigger(int at) {
    if (states.trigger(at)) {
      send(at);
    }
  }

  /// An event of a source that tells nobody, or whose queue is off, is lost; the source goes on waiting for its end.
  private void send(int at) {
    if (masked[at]) {
      return;
    }
    PaprQueueModel queue = queues[target[at]][priority[at]];
    if (queue.isOn() && queue.append(datum[at])) {
      contexts[target[at]].present(priority[at]);
    }
  }

  /// Routes are changed by hypervisor calls alone.
  @Override
  int rtas(String call, int[] arguments, int[] results) {
    return Calls.RTAS_HARDWARE;
  }

  @Override
  boolean hcall(int cpu, long[] registers) {
    if (!XiveCalls.names().containsKey(registers[0])) {
      return false;
    }
    long[] r = Arrays.copyOf(registers, Math.max(registers.length, ARGUMENTS + 1));
    lock.lock();
    try {
      r[0] = answer(r);
    } finally {
      lock.unlock();
    }
    System.arraycopy(r, 0, registers, 0, registers.length);
    return true;
  }

  private long answer(long[] r) {
    long call = r[0];
    if (call == XiveCalls.H_INT_SET_OS_REPORTING_LINE
        || call == XiveCalls.H_INT_GET_OS_REPORTING_LINE) {
      return Calls.H_FUNCTION;
    }
    if ((r[1] & ~flags(call)) != 0) {
      return Calls.H_PARAMETER;
    }
    if (call == XiveCalls.H_INT_RESET) {
      reset();
      return Calls.H_SUCCESS;
    }
    boolean ofQueue =
        call == XiveCalls.H_INT_GET_QUEUE_INFO
            || call == XiveCalls.H_INT_SET_QUEUE_CONFIG
            || call == XiveCalls.H_INT_GET_QUEUE_CONFIG;
    return ofQueue ? queue(call, r) : source(call, r);
  }

  /// {@return the flags that a call may have}
  private static long flags(long call) {
    if (call == XiveCalls.H_INT_SET_SOURCE_CONFIG) {
      return XiveCalls.SET_EISN.mask() | XiveCalls.MASK.mask();
    }
    if (call == XiveCalls.H_INT_SET_QUEUE_CONFIG || call == XiveCalls.H_INT_GET_QUEUE_CONFIG) {
      return XiveCalls.ALWAYS_NOTIFY.mask();
    }
    return call == XiveCalls.H_INT_ESB ? XiveCalls.STORE.mask() : 0;
  }

  private void reset() {
    states.reset();
    for (int at = 0; at < COUNT; at++) {
      forget(at);
    }
    for (PaprQueueModel[] of : queues) {
      for (PaprQueueModel q : of) {
        q.end();
      }
    }
  }

  private long source(long call, long[] r) {
    long at = r[2] - FIRST;
    if (at < 0 || at >= COUNT || !isTaken((int) at)) {
      return XiveCalls.H_P2;
    }
    int source = (int) at;
    if (call == XiveCalls.H_INT_SET_SOURCE_CONFIG) {
      return route(source, r);
    }
    if (call == XiveCalls.H_INT_ESB) {
      return page(source, r);
    }
    if (call == XiveCalls.H_INT_GET_SOURCE_INFO) {
      r[1] = 0;
      r[2] = pages + (2L * source + 1) * EsbRegisters.BYTES;
      r[3] = pages + 2L * source * EsbRegisters.BYTES;
      r[4] = PAGE_SHIFT;
    } else if (call == XiveCalls.H_INT_GET_SOURCE_CONFIG) {
      r[1] = server(target[source]);
      r[2] = masked[source] ? XiveCalls.MASKED : priority[source];
      r[3] = datum[source];
    }
    return Calls.H_SUCCESS;
  }

  private long route(int source, long[] r) {
    if (r[4] == XiveCalls.MASKED) {
      forget(source);
      return Calls.H_SUCCESS;
    }
    if (r[4] < 0 || r[4] >= RESERVED) {
      return XiveCalls.H_P4;
    }
    int cpu = index(r[3]);
    if (cpu < 0) {
      return XiveCalls.H_P3;
    }
    target[source] = cpu;
    priority[source] = (int) r[4];
    masked[source] = XiveCalls.MASK.isSet(r[1]);
    if (XiveCalls.SET_EISN.isSet(r[1])) {
      datum[source] = (int) (r[5] & Integer.MAX_VALUE);
    }
    return Calls.H_SUCCESS;
  }

  private long page(int source, long[] r) {
    if (r[3] < 0 || r[3] >= EsbRegisters.BYTES) {
      return XiveCalls.H_P3;
    }
    if (!XiveCalls.STORE.isSet(r[1])) {
      r[1] = states.load(source, r[3], send);
      return Calls.H_SUCCESS;
    }
    r[1] = EventStates.NOTHING;
    if (r[3] != EsbRegisters.EOI.offset()) {
      return XiveCalls.H_P3;
    }
    trigger(source);
    return Calls.H_SUCCESS;
  }

  private long queue(long call, long[] r) {
    if (r[3] < 0 || r[3] >= RESERVED) {
      return XiveCalls.H_P3;
    }
    int cpu = index(r[2]);
    if (cpu < 0) {
      return XiveCalls.H_P2;
    }
    PaprQueueModel queue = queues[cpu][(int) r[3]];
    if (call == XiveCalls.H_INT_SET_QUEUE_CONFIG) {
      return begin(queue, r);
    }
    if (call == XiveCalls.H_INT_GET_QUEUE_INFO) {
      r[1] = -1;
      r[2] = queue.shift();
      return Calls.H_SUCCESS;
    }
    boolean all = r[1] != 0;
    r[1] = queue.flags(all);
    r[2] = queue.start();
    r[3] = queue.shift();
    r[4] = all ? queue.next() : 0;
    return Calls.H_SUCCESS;
  }

  private long begin(PaprQueueModel queue, long[] r) {
    long address = r[4];
    if (r[5] == 0) {
      queue.end();
      return Calls.H_SUCCESS;
    }
    if (!XiveCalls.isQueueShift(r[5])) {
      return XiveCalls.H_P5;
    }
    long bytes = 1L << r[5];
    if ((address & bytes - 1) != 0) {
      return XiveCalls.H_P4;
    }
    for (long at = 0; at < bytes; at += PAGE_4K) {
      if (!isGuests.test(address + at)) {
        return XiveCalls.H_P4;
      }
    }
    queue.begin(address, (int) r[5], r[1] != 0);
    return Calls.H_SUCCESS;
  }

  @Override
  public BusRead read(long offset, int bytes) {
    long page = offset / EsbRegisters.BYTES;
    int source = (int) (page / 2);
    if (page % 2 == 0 || source >= COUNT || bytes != Long.BYTES) {
      return BusRead.error(bytes);
    }
    lock.lock();
    try {
      long answer =
          isTaken(source)
              ? states.load(source, offset % EsbRegisters.BYTES, send)
              : EventStates.NOTHING;
      return answer == EventStates.NOTHING ? BusRead.error(bytes) : BusRead.ok(answer);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    int source = (int) (offset / EsbRegisters.BYTES / 2);
    if (source >= COUNT || offset % EsbRegisters.BYTES != EsbRegisters.EOI.offset()) {
      return BusOutcome.ERROR;
    }
    lock.lock();
    try {
      if (!isTaken(source)) {
        return BusOutcome.ERROR;
      }
      trigger(source);
      return BusOutcome.OK;
    } finally {
      lock.unlock();
    }
  }
}
