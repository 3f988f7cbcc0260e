package dev.doorbell.hw.xics;

import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.simple.ModelRegisters;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;

/// Presentation controllers and their driver under any order of interrupts, requests, accesses and routes: each interrupt is presented once, the most
/// favoured first, and the driver tells of each that it was led to.
public final class XicsFuzz {
  private static final int MOST_STEPS = 512;
  private static final int FIRST = 0x10;
  private static final int COUNT = 0x400;
  private static final List<Integer> SERVERS = List.of(8, 16, 24);

  /// What waits at a controller.
  private record Waiting(int number, int priority) {}

  /// A controller in plain words.
  private static final class Plain {
    final List<Waiting> waiting = new ArrayList<>();
    int cppr;
    int mfrr = IcpRegisters.LEAST_FAVORED;

    int xirr() {
      return cppr << 24 | best().number();
    }

    private Waiting best() {
      Waiting first =
          waiting.stream()
              .min(Comparator.comparingInt(Waiting::priority))
              .filter(w -> w.priority() < cppr)
              .orElse(new Waiting(0, cppr));
      return mfrr < first.priority() ? new Waiting(IcpRegisters.REQUEST, mfrr) : first;
    }

    int take() {
      int before = xirr();
      Waiting w = best();
      cppr = w.priority();
      waiting.remove(w);
      return before;
    }
  }

  private final XicsModel model = new XicsModel(SERVERS);
  private final List<Plain> plain = new ArrayList<>();
  private final TreeMap<Integer, Integer> arrived = new TreeMap<>();
  private final XicsDriver driver;

  private XicsFuzz() {
    List<XicsHardware.Server> servers = new ArrayList<>();
    for (int i = 0; i < SERVERS.size(); i++) {
      servers.add(new XicsHardware.Server(SERVERS.get(i), new ModelRegisters(model.page(i))));
      plain.add(new Plain());
      plain.get(i).cppr = IcpRegisters.LEAST_FAVORED;
    }
    driver =
        XicsDriver.open(
            new XicsHardware("xics", servers, List.of(new XicsHardware.Sources(FIRST, COUNT))));
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    XicsFuzz fuzz = new XicsFuzz();
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
  }

  private void step(FuzzInput in) {
    int what = in.next8();
    int cpu = (what >> 4) % SERVERS.size();
    MmioDevice page = model.page(cpu);
    Plain p = plain.get(cpu);
    switch (what & 0xf) {
      case 0, 1, 2, 3, 4 -> present(in, cpu, p);
      case 5, 6 -> equal(p.take(), (int) page.read(0x4, 4).value());
      case 7, 8 -> {
        // An end, or a change of priority.
        int cppr = (in.next8() & 3) == 0 ? in.next8() : IcpRegisters.LEAST_FAVORED;
        page.write(0x4, (long) cppr << 24 | in.next16(), 4, SystemBus.CPU);
        p.cppr = cppr;
      }
      case 9 -> equal(p.xirr(), (int) page.read(0, 4).value());
      case 10 -> {
        p.mfrr = in.next8();
        page.write(0xc, p.mfrr, 1, SystemBus.CPU);
      }
      case 11 -> equal(p.mfrr, (int) page.read(0xc, 1).value());
      case 12 -> elsewhere(in, page);
      case 13 -> {
        int number = number(in);
        driver.route(number, cpu);
        drain();
        arrived.computeIfPresent(number, (_, _) -> cpu);
      }
      case 14 -> {
        int number = number(in);
        driver.silence(number);
        drain();
        arrived.remove(number);
      }
      default -> collect();
    }
  }

  private static int number(FuzzInput in) {
    return FIRST + in.next16() % COUNT;
  }

  private void present(FuzzInput in, int cpu, Plain p) {
    // Mostly a source of the driver's; of another one it tells nothing.
    int number = (in.next8() & 7) == 0 ? 3 + in.next16() : number(in);
    Waiting w = new Waiting(number, in.next8());
    if (!model.present(SERVERS.get(cpu), number, w.priority())) {
      throw new AssertionError("server %d does not take %s".formatted(SERVERS.get(cpu), w));
    }
    if (!p.waiting.contains(w)) {
      p.waiting.add(w);
    }
    if (model.present(SERVERS.size() + cpu, number, w.priority())) {
      throw new AssertionError("a server that is not there takes " + w);
    }
  }

  /// Accesses that are no register's, of any size, change nothing.
  private static void elsewhere(FuzzInput in, MmioDevice page) {
    long at = 0x10 + (in.next16() & 0xfff);
    int bytes = 1 << (in.next8() & 3);
    var unused = page.write(at, in.next64(), bytes, SystemBus.CPU);
    var nothing = page.read(at, bytes);
  }

  /// What the driver does before each change.
  private void drain() {
    for (int cpu = 0; cpu < plain.size(); cpu++) {
      Plain p = plain.get(cpu);
      int cppr = p.cppr;
      for (int number = p.take() & 0xff_ffff; number != 0; number = p.take() & 0xff_ffff) {
        if (number == IcpRegisters.REQUEST) {
          p.mfrr = IcpRegisters.LEAST_FAVORED;
        } else if (number >= FIRST && number < FIRST + COUNT) {
          arrived.put(number, cpu);
        }
        p.cppr = cppr;
      }
    }
  }

  private void collect() {
    TreeMap<Integer, Integer> told = new TreeMap<>();
    driver.collect(FIRST, FIRST + COUNT - 1, told::put);
    drain();
    if (!told.equals(arrived)) {
      throw new AssertionError("told of %s and not of %s".formatted(told, arrived));
    }
    arrived.clear();
  }

  private static void equal(int expected, int actual) {
    if (expected != actual) {
      throw new AssertionError("0x%x and not 0x%x".formatted(actual, expected));
    }
  }
}
