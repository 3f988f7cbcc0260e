package dev.doorbell.hw.papr;

import java.util.Arrays;
import java.util.List;

/// What a guest's processors are presented with by XICS. A source that is held back remembers one message. Allocates only where more wait than ever before.
///
/// **Source**: LoPAPR 1.1, 7.3.8 and 14.5.4.3; QEMU 10.0 `hw/intc/xics.c`.
final class PaprXicsModel extends PaprInterruptsModel {
  private final Presenter[] presenters;
  private final int[] server = new int[COUNT];
  private final int[] priority = new int[COUNT];
  private final int[] saved = new int[COUNT];
  private final boolean[] kept = new boolean[COUNT];

  /// Sent, and sent back by a presenter that had something else to do.
  private final boolean[] rejected = new boolean[COUNT];

  PaprXicsModel(List<Long> servers) {
    super(servers);
    presenters = new Presenter[cpus()];
    Arrays.setAll(presenters, _ -> new Presenter());
  }

  @Override
  void begin(int at) {
    priority[at] = XirrLayout.LEAST_FAVORED;
    saved[at] = XirrLayout.LEAST_FAVORED;
    server[at] = server(0);
    kept[at] = false;
    rejected[at] = false;
  }

  @Override
  void end(int at) {
    rejected[at] = false;
    for (Presenter p : presenters) {
      if (p.pending == at + FIRST) {
        int unused = p.take();
        resend(p);
      }
    }
  }

  @Override
  void trigger(int at) {
    send(at);
  }

  @Override
  int rtas(String call, int[] arguments, int[] results) {
    boolean done =
        switch (call) {
          case Calls.SET_XIVE ->
              arguments.length == 3 && route(arguments[0], arguments[1], arguments[2]);
          case Calls.GET_XIVE -> arguments.length == 1 && tell(arguments[0], results);
          default -> arguments.length == 1 && turn(arguments[0], call.equals(Calls.INT_ON));
        };
    return done ? Calls.RTAS_OK : Calls.RTAS_PARAMETER;
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
  private boolean route(int number, int toServer, int withPriority) {
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

  private void priority(int at, int next) {
    priority[at] = next;
    if (kept[at]) {
      send(at);
    }
  }

  /// Holds a source back, or lets it go on. One that is held back twice remembers that it was.
  ///
  /// {@return whether there is such a source}
  private boolean turn(int number, boolean on) {
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

  /// Tells where a source's interrupts go: server, then priority.
  ///
  /// {@return whether there is such a source}
  private boolean tell(int number, int[] results) {
    int at = number - FIRST;
    lock.lock();
    try {
      if (!isTaken(at)) {
        return false;
      }
      PaprMessagesModel.put(results, 1, server[at]);
      PaprMessagesModel.put(results, 2, priority[at]);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private static boolean isCall(long call) {
    return call == Calls.H_XIRR
        || call == Calls.H_EOI
        || call == Calls.H_CPPR
        || call == Calls.H_IPI
        || call == Calls.H_IPOLL;
  }

  @Override
  boolean hcall(int cpu, long[] registers) {
    long call = registers[0];
    if (!isCall(call)) {
      return false;
    }
    lock.lock();
    try {
      Presenter own = presenters[cpu];
      long argument = registers[1];
      registers[0] = Calls.H_SUCCESS;
      if (call == Calls.H_XIRR) {
        registers[1] = own.accept();
      } else if (call == Calls.H_EOI) {
        favor(own, XirrLayout.CPPR.getInt(argument));
      } else if (call == Calls.H_CPPR) {
        favor(own, (int) argument & XirrLayout.LEAST_FAVORED);
      } else {
        int other = index(argument);
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
      return true;
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
