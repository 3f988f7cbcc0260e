package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.bus.XicsPort;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.ServerRouter;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// A PHB3 on its model, its interrupts kept for whoever collects.
final class Phb3Bench {
  static final int FIRST = 0x1000;
  static final int MESSAGES = 56;

  /// What server 0 is to a bridge.
  private static final int SERVERS = 8;

  /// Offset of a register whose writes get lost; 0 when none does.
  long leftOut;

  final PlainMemory memory = new PlainMemory(0x1000_0000L, 0x400_0000);
  final CountedFrames frames = new CountedFrames(memory, 0x1000_0000L, 0x400_0000);
  private final Servers servers = new Servers();
  final Phb3Model model = new Phb3Model(memory, servers, FIRST, MESSAGES);
  final Phb3Driver driver;

  Phb3Bench() {
    this(false);
  }

  /// @param wide whether firmware has asked for entries of 128 bytes
  Phb3Bench(boolean wide) {
    new ModelRegisters(model)
        .write64(Phb3Registers.CONTROL.offset(), Phb3Registers.IVE_128_BYTES.place(wide ? 1 : 0));
    driver = Phb3Driver.open(hardware(), servers);
  }

  private record Sent(int server, int number) {}

  Phb3Hardware hardware() {
    return new Phb3Hardware(
        "phb3",
        new Partly(new ModelRegisters(model)),
        memory,
        frames,
        new Phb4Hardware.Messages("msi", FIRST, MESSAGES, Source.rule("test")));
  }

  private final class Partly implements RegisterBus {
    private final RegisterBus whole;

    Partly(RegisterBus whole) {
      this.whole = whole;
    }

    @Override
    public long read(long offset, int bytes) {
      return whole.read(offset, bytes);
    }

    @Override
    public void write(long offset, long value, int bytes) {
      if (leftOut == 0 || offset != leftOut) {
        whole.write(offset, value, bytes);
      }
    }
  }

  /// Presentation controllers, and what their driver would find there.
  private static final class Servers implements XicsPort, ServerRouter {
    private final Deque<Sent> queue = new ArrayDeque<>();

    @Override
    public boolean present(int server, int number, int priority) {
      assertTrue(priority < IveLayout.MASKED);
      return queue.add(new Sent(server, number));
    }

    @Override
    public String id() {
      return "servers";
    }

    @Override
    public int cpus() {
      return 4;
    }

    @Override
    public int server(int cpu) {
      return SERVERS * (cpu + 1);
    }

    @Override
    public void route(int number, int cpu) {
      if (cpu < 0 || cpu >= cpus()) {
        throw new IllegalArgumentException("there is no CPU " + cpu);
      }
    }

    @Override
    public void silence(int number) {
      queue.removeIf(s -> s.number() == number);
    }

    @Override
    public int collect(int first, int last, InterruptSink sink) {
      int waiting = queue.size();
      for (int i = 0; i < waiting; i++) {
        Sent s = queue.remove();
        sink.arrived(s.number(), s.server() / SERVERS - 1);
      }
      return waiting;
    }
  }

  long write(int rid, long iova) {
    return model.translate(rid, -1, iova, Translator.WRITE);
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
