package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.EventRouter;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.XiveEventLayout;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.HardwareWrites;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A PHB4 on its model, its events kept for whoever collects.
final class Phb4Bench {
  static final int FIRST = 0xfe000;
  static final int MESSAGES = 56;
  static final int PES = 64;
  private static final long PORT = 0x6_0302_0311_0000L;

  final PlainMemory memory = new PlainMemory(0x1000_0000L, 0x400_0000);
  final CountedFrames frames = new CountedFrames(memory, 0x1000_0000L, 0x400_0000);
  final HardwareWrites writes = new HardwareWrites();

  /// The offset of a register whose writes do not come through; 0 for none.
  long leftOut;

  private final Events events = new Events();
  final Phb4Model model = new Phb4Model(memory, events, false, PES, MESSAGES);
  final Phb4Driver driver =
      Phb4Driver.open(
          new Phb4Hardware(
              "phb4",
              "PHB4",
              new Watched(new ModelRegisters(model)),
              new ModelRegisters(model.pages()),
              memory,
              frames,
              new Phb4Hardware.Messages("msi", FIRST, MESSAGES, Source.rule("test"))),
          events);

  /// Registers whose writes can be made to fail, or be lost.
  private final class Watched implements RegisterBus {
    private final RegisterBus bus;

    Watched(RegisterBus bus) {
      this.bus = bus;
    }

    @Override
    public long read(long offset, int bytes) {
      return bus.read(offset, bytes);
    }

    @Override
    public void write(long offset, long value, int bytes) {
      writes.write("0x%x = 0x%x".formatted(offset, value));
      if (offset != leftOut) {
        bus.write(offset, value, bytes);
      }
    }
  }

  /// The port of an interrupt controller, and what its driver would find there.
  private static final class Events implements SystemBus, EventRouter {
    private final Map<Integer, Integer> routes = new HashMap<>();
    private final Deque<Integer> queue = new ArrayDeque<>();

    @Override
    public BusOutcome write(long pa, long value, int bytes, int requester) {
      assertEquals(PORT, pa);
      assertTrue(XiveEventLayout.PQ.isSet(value));
      queue.add(XiveEventLayout.INDEX.getInt(value));
      return BusOutcome.OK;
    }

    @Override
    public BusRead read(long pa, int bytes) {
      return BusRead.error(bytes);
    }

    @Override
    public String id() {
      return "events";
    }

    @Override
    public int cpus() {
      return 4;
    }

    @Override
    public long notifyPort() {
      return PORT;
    }

    @Override
    public void route(int number, int cpu) {
      if (cpu < 0 || cpu >= cpus()) {
        throw new IllegalArgumentException("there is no CPU " + cpu);
      }
      routes.put(number, cpu);
    }

    @Override
    public void silence(int number) {
      routes.remove(number);
      queue.removeIf(n -> n == number);
    }

    @Override
    public int collect(int first, int last, InterruptSink sink) {
      int waiting = queue.size();
      for (int i = 0; i < waiting; i++) {
        int number = queue.remove();
        sink.arrived(number, routes.getOrDefault(number, -1));
      }
      return waiting;
    }
  }

  long write(int rid, long iova) {
    return model.translate(rid, -1, iova, Translator.WRITE);
  }

  long read(int rid, long iova) {
    return model.translate(rid, -1, iova, Translator.READ);
  }

  /// Has a PE's row of PELT-V name itself and another.
  void takesAlong(int pe, int other) {
    long peltv =
        Phb4Registers.PELTV_BASE.get(
            new ModelRegisters(model).read64(Phb4Registers.PELTV_BAR.offset()));
    long bits = PeVectorLayout.bit(pe) | PeVectorLayout.bit(other);
    memory.write64(peltv + pe * (PES / Byte.SIZE), PeVectorLayout.swapped(bits));
  }

  List<String> collected() {
    List<String> out = new ArrayList<>();
    driver.messages().collect((n, cpu) -> out.add(n + "@" + cpu));
    return out;
  }

  BusOutcome send(int rid, VectorBlock b, int index) {
    assertTrue(model.isMessage(b.doorbell(index)));
    return model.message(rid, b.doorbell(index), b.data(index), Integer.BYTES);
  }
}
