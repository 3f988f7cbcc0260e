package dev.doorbell.bench;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Frames;
import dev.doorbell.host.Host;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiFunction;
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
import org.openjdk.jmh.annotations.Warmup;

/// The same three works on every way of doing it: a write of a device's to memory, a vector that moves to another CPU, and all vectors of a function given back
/// and enabled anew. The first is of models alone; the others are of drivers on models, calls of a hypervisor included.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class PlatformBenchmark {
  private static final int BYTES = 0x1_0000;

  /// One function with 64 vectors, and 16 pages of memory.
  @State(Scope.Benchmark)
  public static class Assigned extends MsiBenchmark.Functions {
    @Param public Platform platform = Platform.PHB4;

    private int turn;

    @Setup
    public void assign() {
      platform.assign(this, "1x64");
      Host started = host.orElseThrow();
      Frames frames = started.machine().frames();
      Pa memory = frames.allocate(BYTES, BYTES);
      var unused =
          domain
              .orElseThrow()
              .map(new Iova(platform.memory()), memory, BYTES, Protection.READ_WRITE);
    }

    MsiFunction function() {
      return functions.getFirst().vectors().orElseThrow();
    }
  }

  /// {@return what became of the write: root port, translation by the platform's IOMMU, permissions, memory}
  @Benchmark
  public BusOutcome written(Assigned assigned) {
    int offset = assigned.turn++ * 0x1008 & BYTES - Long.BYTES;
    BusOutcome out =
        assigned.devices[0].dmaWrite(assigned.platform.memory() + offset, offset, Long.BYTES);
    if (out != BusOutcome.OK) {
      throw new IllegalStateException("a write to mapped memory did not arrive");
    }
    return out;
  }

  /// {@return the CPU that a vector has moved to}
  @Benchmark
  public int retargeted(Assigned assigned) {
    int vector = assigned.turn % assigned.vectors;
    int cpu = assigned.turn / assigned.vectors % assigned.platform.cpus();
    assigned.turn = assigned.turn + 1 & Integer.MAX_VALUE;
    assigned.function().retarget(vector, cpu);
    return cpu;
  }

  /// {@return vectors that are enabled, after all were given back}
  @Benchmark
  public int enabled(Assigned assigned) {
    MsiFunction f = assigned.function();
    f.release();
    return f.enable(assigned.vectors, assigned.vectors);
  }
}
