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

  /// As QEMU's hypervisor gives them.
  private static final int EVEN = 2;

  private static final long NOBODY = -1;
  private final ReentrantLock lock = new ReentrantLock();
  private final int[] servers;
  private final Presenter[] presenters;
  private final long[] owners = new long[COUNT];
  private final int[] server = new int[COUNT];
  private final int[] priority = new int[COUNT];
  private final int[] saved = new int[COUNT];
  private final boolean[] kept = new boolean[COUNT];

  /// Sent, and sent back by a presenter that had something else to do.
  private final boolean[] rejected = new boolean[COUNT];

  /// @param servers numbers of processors as sources name them
  PaprInterruptsModel(List<Long> servers) {
    this.servers = servers.stream().mapToInt(Long::intValue).toArray();
    presenters = new Presenter[this.servers.length];
    Arrays.setAll(presenters, _ -> new Presenter());
    Arrays.fill(owners, NOBODY);
  }

  /// {@return the first of so many free sources: a multiple of their number where they are to be aligned, else an even one; -1 when there are none}
  int take(int count, boolean aligned, long owner) {
    lock.lock();
    try {
      int step = aligned ? count : EVEN;
      for (int at = 0; at + count <= COUNT; at += step) {
        if (isFree(at, count)) {
          for (int i = at; i < at + count; i++) {
            owners[i] = owner;
            priority[i] = XirrLayout.LEAST_FAVORED;
            saved[i] = XirrLayout.LEAST_FAVORED;
            server[i] = servers[0];
            kept[i] = false;
            rejected[i] = false;
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
        rejected[number - FIRST + i] = false;
        for (Presenter p : presenters) {
          if (p.pending == number + i) {
            int unused = p.take();
            resend(p);
          }
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
      reject(presenters[to].present(at + FIRST, priority[at]));
    }
  }

  /// A source remembers what could not be presented. Another processor's request is remembered where it was made.
  private void reject(int number) {
    if (number >= FIRST) {
      rejected[number - FIRST] = true;
    }
  }

  /// A presenter may have room again: what was sent back is sent once more, by the ways that sources have now.
  private void resend(Presenter p) {
    reject(p.look());
    for (int at = 0; at < COUNT; at++) {
      if (rejected[at]) {
        rejected[at] = false;
        send(at);
      }
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
        registers[1] = own.accept();
      } else if (call == Calls.H_EOI) {
        favor(own, XirrLayout.CPPR.getInt(argument));
      } else if (call == Calls.H_CPPR) {
        favor(own, (int) argument & XirrLayout.LEAST_FAVORED);
      } else {
        int other = index((int) argument);
        if (other < 0) {
          registers[0] = Calls.H_PARAMETER;
        } else if (call == Calls.H_IPI) {
          presenters[other].request = (int) registers[2] & XirrLayout.LEAST_FAVORED;
          reject(presenters[other].look());
        } else {
          registers[1] = presenters[other].xirr();
          registers[2] = presenters[other].request;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// A processor takes less from now on, or more.
  private void favor(Presenter p, int cppr) {
    p.cppr = cppr;
    if (p.pending != 0 && p.pendingPriority >= cppr) {
      reject(p.take());
    }
    if (p.pending == 0) {
      resend(p);
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

  /// What one processor is presented with: one interrupt at a time, the most favoured of those that got through.
  private static final class Presenter {
    private int cppr;
    private int pending;
    private int pendingPriority = XirrLayout.LEAST_FAVORED;
    private int request = XirrLayout.LEAST_FAVORED;

    /// {@return what is sent back: this interrupt, the one whose place it takes, or 0}
    int present(int number, int priority) {
      if (priority >= cppr || pending != 0 && pendingPriority <= priority) {
        return number;
      }
      int before = pending;
      pending = number;
      pendingPriority = priority;
      return before;
    }

    /// Presents another processor's request, if there is one that gets through.
    ///
    /// {@return what is sent back for it, or 0}
    int look() {
      return request < cppr ? present(XirrLayout.IPI, request) : 0;
    }

    /// {@return what is presented, and no more then}
    int take() {
      int before = pending;
      pending = 0;
      pendingPriority = XirrLayout.LEAST_FAVORED;
      return before;
    }

    long xirr() {
      return XirrLayout.CPPR.place(cppr) | XirrLayout.XISR.place(pending);
    }

    long accept() {
      long before = xirr();
      if (pending != 0) {
        cppr = pendingPriority;
        int unused = take();
      }
      return before;
    }
  }
}
