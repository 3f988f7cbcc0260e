package dev.doorbell.bench;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.riscviommu.RiscvIommuDriver;
import dev.doorbell.hw.riscviommu.RiscvIommuFeatures;
import dev.doorbell.hw.riscviommu.RiscvIommuModel;
import dev.doorbell.hw.riscviommu.RiscvIommuSettings;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
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
  private static final long IOVA = 0x1_0000_0000L;
  private static final long PA = 0x10_0000_0000L;
  // Odd: neighbours are never mapped as a block.
  private static final int SCATTER = 0x9e37_79b1;

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
    AddressSpace space = driver.createAddressSpace(Granule.K4);
    for (int i = 0; i < pages; i++) {
      space.map(
          new Iova(IOVA + page(i)),
          new Pa(PA + page(i * SCATTER)),
          Granule.K4.bytes(),
          Protection.READ_WRITE);
    }
    for (int device = 0; device < devices; device++) {
      driver.attach(device, space);
    }
  }

  private long page(int i) {
    return (long) (i & (pages - 1)) << Granule.K4.shift();
  }

  /// {@return a physical address: pages at random; the last 1,024 translations are cached}
  @Benchmark
  public long mapped() {
    turn++;
    long pa =
        iommu.translate(
            Integer.remainderUnsigned(turn, devices),
            -1,
            IOVA + page((turn * SCATTER) >>> 7),
            Translator.WRITE);
    if (pa == Translator.FAULT) {
      throw new IllegalStateException("a mapped page faulted");
    }
    return pa;
  }
}
