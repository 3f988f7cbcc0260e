package dev.doorbell.bench;

import dev.doorbell.hw.riscviommu.RiscvIommuDriver;
import dev.doorbell.hw.riscviommu.RiscvIommuFeatures;
import dev.doorbell.hw.riscviommu.RiscvIommuModel;
import dev.doorbell.hw.riscviommu.RiscvIommuSettings;
import dev.doorbell.machine.EmbeddedMachine;
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

/// One translation by the model of a RISC-V IOMMU, device look-up and permissions included, over first-stage tables that the driver wrote.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class RiscvTranslateBenchmark {
  private static final int OUTPUT_BITS = 48;

  /// 4 KiB pages of the one address space.
  @Param({"1", "512", "1048576"})
  public int pages = 512;

  /// Devices attached to it.
  @Param({"1", "1000"})
  public int devices = 1;

  private final EmbeddedMachine machine = BenchMachine.riscv(0, 1);
  private final RiscvIommuModel iommu =
      new RiscvIommuModel(
          RiscvIommuFeatures.usual(OUTPUT_BITS),
          machine.memory(),
          TranslateBenchmark.Nowhere.INSTANCE);
  private ScatteredPages scattered = new ScatteredPages(1, 1);
  private int turn;

  @Setup
  public void map() {
    RiscvIommuDriver driver =
        RiscvIommuDriver.open(
            "riscv-iommu",
            new TranslateBenchmark.Registers(iommu),
            machine.memory(),
            machine.frames(),
            RiscvIommuSettings.usual());
    scattered = new ScatteredPages(pages, devices);
    scattered.attach(driver);
  }

  /// {@return a physical address: pages at random; the last 1,024 translations are cached}
  @Benchmark
  public long mapped() {
    turn++;
    return scattered.mapped(iommu, turn);
  }
}
