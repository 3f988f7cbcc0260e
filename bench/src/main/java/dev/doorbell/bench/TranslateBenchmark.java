package dev.doorbell.bench;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.hw.smmuv3.SmmuDriver;
import dev.doorbell.hw.smmuv3.SmmuFeatures;
import dev.doorbell.hw.smmuv3.SmmuModel;
import dev.doorbell.hw.smmuv3.SmmuSettings;
import dev.doorbell.hw.smmuv3.SmmuTags;
import dev.doorbell.hw.smmuv3.SmmuWires;
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

/// One translation by the SMMUv3 model, device look-up and permissions included, over tables that the driver wrote.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class TranslateBenchmark {
  /// 4 KiB pages of the one address space.
  @Param({"1", "512", "1048576"})
  public int pages = 512;

  /// StreamIDs attached to it.
  @Param({"1", "1000"})
  public int devices = 1;

  private final EmbeddedMachine machine = BenchMachine.arm(0, 1);
  private final SmmuModel smmu =
      new SmmuModel(SmmuFeatures.qemu10(), machine.memory(), Nowhere.INSTANCE, SmmuWires.NONE);
  private BareTables bare = new BareTables();
  private ScatteredPages scattered = new ScatteredPages(1, 1);
  private int turn;

  @Setup
  public void map() {
    SmmuDriver driver =
        SmmuDriver.open(
            "smmu",
            new Registers(smmu),
            machine.memory(),
            machine.frames(),
            SmmuSettings.of(new SmmuTags()));
    scattered = new ScatteredPages(pages, devices);
    scattered.attach(driver);
    for (int i = 0; i < pages; i++) {
      bare.map(scattered.iova(i), scattered.pa(i));
    }
  }

  /// {@return a physical address: pages at random; the last translations are cached, 16,384 of them}
  @Benchmark
  public long mapped() {
    turn++;
    return scattered.mapped(smmu, turn);
  }

  /// {@return the same by four dependent reads of plain arrays, without device, permission, lock or event: what a walk costs on this machine}
  @Benchmark
  public long bareWalk() {
    turn++;
    return bare.walk(scattered.iova(scattered.at(turn)));
  }

  /// {@return the fault of an access to a page that is not mapped, its event recorded or, once the queue is full, counted as lost}
  @Benchmark
  public long unmapped() {
    turn++;
    return scattered.unmapped(smmu, turn);
  }

  /// The driver's way to the registers.
  record Registers(MmioDevice device) implements RegisterBus {
    @Override
    public long read(long offset, int bytes) {
      BusRead read = device.read(offset, bytes);
      if (read.outcome() != BusOutcome.OK) {
        throw new BusErrorException("read", offset, bytes);
      }
      return read.value();
    }

    @Override
    public void write(long offset, long value, int bytes) {
      if (device.write(offset, value, bytes, SystemBus.CPU) != BusOutcome.OK) {
        throw new BusErrorException("write", offset, bytes);
      }
    }
  }

  /// No MSIs of an IOMMU's own.
  enum Nowhere implements SystemBus {
    INSTANCE;

    @Override
    public BusOutcome write(long pa, long value, int bytes, int requester) {
      return BusOutcome.ERROR;
    }

    @Override
    public BusRead read(long pa, int bytes) {
      return BusRead.error(bytes);
    }
  }
}
