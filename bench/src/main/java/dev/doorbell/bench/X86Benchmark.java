package dev.doorbell.bench;

import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.irq.PostedDescriptor;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.pci.Firing;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Beside the messages of {@link MsiBenchmark}: those that VT-d posts to a guest, and vectors that move from CPU to CPU while their function raises them.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class X86Benchmark {
  private static final int NOTIFICATION = 0xf2;
  private static final int FIRST_VECTOR = 32;
  private static final int VECTORS = 224;

  /// Functions whose vectors are posted to one processor of a guest, which is told by a notification that it does not take.
  @State(Scope.Benchmark)
  public static class Posted extends MsiBenchmark.Functions {
    /// Devices and vectors of each.
    @Param({"1x1", "1x64", "1x2048", "256x1"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, BenchMachine::x86, Optional.empty(), false);
      PostedDescriptor guest =
          host.orElseThrow()
              .msiController(BenchMachine.VTD)
              .flatMap(c -> c.posting())
              .orElseThrow()
              .create();
      guest.send(NOTIFICATION, 0);
      if (guest.resume()) {
        throw new IllegalStateException("nothing can have been posted yet");
      }
      for (MsiFunction f : functions.stream().map(x -> x.vectors().orElseThrow()).toList()) {
        for (int v = 0; v < vectors; v++) {
          f.post(v, new PostedInterrupt(guest.address(), FIRST_VECTOR + v % VECTORS, false));
        }
      }
    }
  }

  /// A function that raises a vector without end, in a thread of its own, while that one moves.
  @State(Scope.Benchmark)
  public static class Busy extends MsiBenchmark.Functions {
    /// One device, and its vectors.
    @Param("1x64")
    public String shape = "1x64";

    private volatile boolean raises = true;
    private volatile long raised;
    private Thread load = new Thread();
    private int turn;

    @Setup
    public void assign() {
      assign(shape, BenchMachine::x86, Optional.empty(), false);
      EndpointModel device = devices[0];
      load = Thread.ofPlatform().daemon().name("load").start(() -> raise(device));
    }

    private void raise(EndpointModel device) {
      long count = 0;
      while (raises) {
        if (device.fire((int) (count % vectors)) == Firing.SENT) {
          count++;
        }
        raised = count;
      }
    }

    @TearDown
    public void stop() throws InterruptedException {
      raises = false;
      load.join();
      if (raised == 0) {
        throw new IllegalStateException("nothing was raised meanwhile");
      }
    }
  }

  /// {@return what the device knows; a bit of the descriptor is set, and the notification is outstanding after the first}
  @Benchmark
  public Firing posted(Posted posted, MsiBenchmark.Turn turn) {
    return turn.fire(posted);
  }

  /// Moves one vector to another CPU: entry, invalidation, and the wait for it.
  @Benchmark
  public int retargeted(Busy busy) {
    MsiFunction f = busy.functions.getFirst().vectors().orElseThrow();
    int vector = busy.turn % busy.vectors;
    int cpu = busy.turn / busy.vectors & 1;
    f.retarget(vector, cpu);
    busy.turn++;
    return cpu;
  }
}
