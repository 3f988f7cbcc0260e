package dev.doorbell.hw.papr;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// Interrupt sources of a guest, and what its processors are presented with (XICS). A source that is held back remembers one message. One lock: a
/// message and a call are each one step. Allocates only where more wait than ever before.
///
/// **Source**: LoPAPR 1.1, 7.3.8 and 14.5.4.3; QEMU 10.0 `hw/intc/xics.c`.
final class PaprInterruptsModel {
  /// Number of the first source that messages are given.
  static final int FIRST = 0x1300;

  /// Sources that messages can be given.
  static final int COUNT = 0x1000;

  private static final long NOBODY = -1;
  private static final int USUAL = 16;
  private static final int PRIORITY_SHIFT = XirrLayout.XISR.width();

  private final ReentrantLock lock = new ReentrantLock();
  private final int[] servers;
  private final Presenter[] presenters;
  private final long[] owners = new long[COUNT];
  private final int[] server = new int[COUNT];
  private final int[] priority = new int[COUNT];
  private final int[] saved = new int[COUNT];
  private final boolean[] kept = new boolean[COUNT];

  /// @param servers numbers of processors as sources name them
  PaprInterruptsModel(List<Long> servers) {
    this.servers = servers.stream().mapToInt(Long::intValue).toArray();
    presenters = new Presenter[this.servers.length];
    Arrays.setAll(presenters, _ -> new Presenter());
    Arrays.fill(owners, NOBODY);
  }

  /// {@return the first of so many free sources, a multiple of their number where they are to be aligned; -1 when there are none}
  int take(int count, boolean aligned, long owner) {
    lock.lock();
    try {
      int step = aligned ? count : 1;
      for (int at = 0; at + count <= COUNT; at += step) {
        if (isFree(at, count)) {
          for (int i = at; i < at + count; i++) {
            owners[i] = owner;
            priority[i] = XirrLayout.LEAST_FAVORED;
            saved[i] = XirrLayout.LEAST_FAVORED;
            server[i] = servers[0];
            kept[i] = false;
          }
          return FIRST + at;
        }
      }
      return -1;
    } finally {
      lock.unlock();
    }
  }

  private boolean isFree(int at, int count) {
    for (int i = at; i < at + count; i++) {
      if (owners[i] != NOBODY) {
        return false;
      }
    }
    return true;
  }

  /// Gives sources back; what they have presented and nobody took is gone.
  void giveBack(int number, int count) {
    lock.lock();
    try {
      for (int i = 0; i < count; i++) {
        owners[number - FIRST + i] = NOBODY;
        for (Presenter p : presenters) {
          p.drop(number + i);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// A message came.
  ///
  /// {@return whether it is one of its sender's}
  boolean fire(int number, long owner) {
    int at = number - FIRST;
    if (at < 0 || at >= COUNT) {
      return false;
    }
    lock.lock();
    try {
      if (owners[at] != owner) {
        return false;
      }
      send(at);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void send(int at) {
    int to = index(server[at]);
    if (priority[at] == XirrLayout.LEAST_FAVORED || to < 0) {
      kept[at] = true;
    } else {
      kept[at] = false;
      presenters[to].add(priority[at] << PRIORITY_SHIFT | at + FIRST);
    }
  }

  /// Says where a source's interrupts go.
  ///
  /// {@return whether there is such a source and such a server}
  boolean route(int number, int toServer, int withPriority) {
    int at = number - FIRST;
    lock.lock();
    try {
      if (!isTaken(at)
          || index(toServer) < 0
          || withPriority < 0
          || withPriority > XirrLayout.LEAST_FAVORED) {
        return false;
      }
      server[at] = toServer;
      saved[at] = withPriority;
      priority(at, withPriority);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private boolean isTaken(int at) {
    return at >= 0 && at < COUNT && owners[at] != NOBODY;
  }

  private void priority(int at, int next) {
    priority[at] = next;
    if (kept[at]) {
      send(at);
    }
  }

  /// Holds a source back, or lets it go on. One that is held back twice remembers that it was.
  ///
  /// {@return whether there is such a source}
  boolean turn(int number, boolean on) {
    int at = number - FIRST;
    lock.lock();
    try {
      if (!isTaken(at)) {
        return false;
      }
      int next = on ? saved[at] : XirrLayout.LEAST_FAVORED;
      if (!on) {
        saved[at] = priority[at];
      }
      priority(at, next);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// {@return where a source's interrupts go: server, then priority; empty when there is no such source}
  int[] route(int number) {
    int at = number - FIRST;
    lock.lock();
    try {
      return isTaken(at) ? new int[] {server[at], priority[at]} : new int[0];
    } finally {
      lock.unlock();
    }
  }

  /// Answers a call of one processor.
  void hcall(int cpu, long[] registers) {
    lock.lock();
    try {
      Presenter own = presenters[cpu];
      long call = registers[0];
      long argument = registers[1];
      registers[0] = Calls.H_SUCCESS;
      if (call == Calls.H_XIRR) {
        registers[1] = own.take();
      } else if (call == Calls.H_EOI) {
        own.end((int) argument);
      } else if (call == Calls.H_CPPR) {
        own.cppr = (int) argument & XirrLayout.LEAST_FAVORED;
      } else {
        int other = index((int) argument);
        if (other < 0) {
          registers[0] = Calls.H_PARAMETER;
        } else if (call == Calls.H_IPI) {
          presenters[other].request((int) registers[2] & XirrLayout.LEAST_FAVORED);
        } else {
          registers[1] = presenters[other].xirr(presenters[other].best());
          registers[2] = presenters[other].request;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private int index(int number) {
    for (int i = 0; i < servers.length; i++) {
      if (servers[i] == number) {
        return i;
      }
    }
    return -1;
  }

  int cpus() {
    return servers.length;
  }

  /// What one processor is presented with: what waits, as priority and number in one word.
  private static final class Presenter {
    private int[] waiting = new int[USUAL];
    private int count;
    private int cppr;
    private int request = XirrLayout.LEAST_FAVORED;

    void add(int entry) {
      for (int i = 0; i < count; i++) {
        if (waiting[i] == entry) {
          return;
        }
      }
      if (count == waiting.length) {
        waiting = Arrays.copyOf(waiting, 2 * count);
      }
      waiting[count++] = entry;
    }

    /// Another processor's request, or the end of one. It takes the place of the former.
    void request(int priority) {
      drop(XirrLayout.IPI);
      request = priority;
      if (priority != XirrLayout.LEAST_FAVORED) {
        add(priority << PRIORITY_SHIFT | XirrLayout.IPI);
      }
    }

    /// Another processor's request stays until it is ended by who made it.
    void end(int xirr) {
      cppr = XirrLayout.CPPR.getInt(xirr);
      if (XirrLayout.XISR.getInt(xirr) == XirrLayout.IPI && request != XirrLayout.LEAST_FAVORED) {
        add(request << PRIORITY_SHIFT | XirrLayout.IPI);
      }
    }

    void drop(int number) {
      int left = 0;
      for (int i = 0; i < count; i++) {
        if ((waiting[i] & XirrLayout.XISR.max()) != number) {
          waiting[left++] = waiting[i];
        }
      }
      count = left;
    }

    int best() {
      int best = -1;
      int bound = cppr;
      for (int i = 0; i < count; i++) {
        int priority = waiting[i] >>> PRIORITY_SHIFT;
        if (priority < bound) {
          bound = priority;
          best = i;
        }
      }
      return best;
    }

    long xirr(int at) {
      long number = at < 0 ? 0 : waiting[at] & XirrLayout.XISR.max();
      return XirrLayout.CPPR.place(cppr) | XirrLayout.XISR.place(number);
    }

    long take() {
      int at = best();
      long before = xirr(at);
      if (at >= 0) {
        cppr = waiting[at] >>> PRIORITY_SHIFT;
        count--;
        System.arraycopy(waiting, at + 1, waiting, at, count - at);
      }
      return before;
    }
  }
}
