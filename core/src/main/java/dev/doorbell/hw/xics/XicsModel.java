package dev.doorbell.hw.xics;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.XicsPort;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// Presentation controllers. One that cannot present an interrupt yet keeps it itself, where hardware sends it back to its source (which sends it again):
/// a CPU sees no difference. One lock: an interrupt and a register access are each one step. Allocates only where more wait than ever before.
public final class XicsModel implements XicsPort {
  private static final int USUAL = 16;
  private static final int NOTHING = -1;
  private static final int REQUEST = -2;
  private static final int PRIORITY_SHIFT = IcpRegisters.XISR.width();

  private final ReentrantLock lock = new ReentrantLock();
  private final int[] numbers;
  private final List<Controller> controllers = new ArrayList<>();

  /// @param servers numbers of the controllers
  public XicsModel(List<Integer> servers) {
    numbers = servers.stream().mapToInt(Integer::intValue).toArray();
    for (int i = 0; i < numbers.length; i++) {
      controllers.add(new Controller());
    }
  }

  /// {@return the page of a controller, in the order in which they were given}
  public MmioDevice page(int index) {
    return controllers.get(index);
  }

  @Override
  public boolean present(int server, int number, int priority) {
    for (int i = 0; i < numbers.length; i++) {
      if (numbers[i] == server) {
        lock.lock();
        try {
          controllers.get(i).add(priority << PRIORITY_SHIFT | number);
        } finally {
          lock.unlock();
        }
        return true;
      }
    }
    return false;
  }

  /// One controller: what waits, as priority and number in one word, and the least favoured priority that gets through.
  private final class Controller implements MmioDevice {
    private final RegisterPorts ports = new RegisterPorts(IcpRegisters.MAP);
    private int[] waiting = new int[USUAL];
    private int count;
    private int cppr;
    private int mfrr = IcpRegisters.LEAST_FAVORED;

    Controller() {
      ports.on(IcpRegisters.POLL, _ -> xirr(best()));
      ports.on(IcpRegisters.XIRR, _ -> take(), (_, v) -> cppr = IcpRegisters.CPPR.getInt(v));
      ports.on(
          IcpRegisters.MFRR,
          _ -> IcpRegisters.PRIORITY.place(mfrr),
          (_, v) -> mfrr = IcpRegisters.PRIORITY.getInt(v));
    }

    /// An interrupt that waits already comes once, however often its source sends it.
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

    /// {@return the place of the most favoured that gets through, the first of them; {@link #REQUEST} when that is a processor's request}
    private int best() {
      int best = NOTHING;
      int bound = cppr;
      for (int i = 0; i < count; i++) {
        int priority = waiting[i] >>> PRIORITY_SHIFT;
        if (priority < bound) {
          bound = priority;
          best = i;
        }
      }
      return mfrr < bound ? REQUEST : best;
    }

    private long number(int at) {
      return switch (at) {
        case NOTHING -> 0;
        case REQUEST -> IcpRegisters.REQUEST;
        default -> waiting[at] & IcpRegisters.XISR.max();
      };
    }

    private long xirr(int at) {
      long number = number(at);
      return IcpRegisters.CPPR.place(cppr) | IcpRegisters.XISR.place(number);
    }

    private long take() {
      int at = best();
      long before = xirr(at);
      if (at == REQUEST) {
        cppr = mfrr;
      } else if (at != NOTHING) {
        cppr = waiting[at] >>> PRIORITY_SHIFT;
        count--;
        System.arraycopy(waiting, at + 1, waiting, at, count - at);
      }
      return before;
    }

    @Override
    public BusRead read(long offset, int bytes) {
      if (!ports.answers(offset, bytes)) {
        return BusRead.error(bytes);
      }
      lock.lock();
      try {
        return BusRead.ok(ports.read(offset, bytes));
      } finally {
        lock.unlock();
      }
    }

    @Override
    public BusOutcome write(long offset, long value, int bytes, int requester) {
      if (!ports.answers(offset, bytes)) {
        return BusOutcome.ERROR;
      }
      lock.lock();
      try {
        ports.write(offset, value, bytes);
      } finally {
        lock.unlock();
      }
      return BusOutcome.OK;
    }
  }
}
