package dev.doorbell.bench;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.iommu.Domain;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
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
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/// One MSI: from the device that raises a vector, through root port, SMMUv3 and ITS, to a pending LPI, or through VT-d to a requested vector of
/// a local APIC, or through a RISC-V IOMMU to a pending identity of an interrupt file. On PowerPC and POWER it is taken as well, since what is
/// raised already swallows the next one: from a bank of an MPIC, a presentation controller of XICS, a queue of XIVE, or a hypervisor.
/// Locks, faults and events are in place.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class MsiBenchmark {
  private static final AddressRange WINDOW = new AddressRange(0x800_0000L, 0x80f_ffffL);

  /// Functions, assigned with all their vectors by Doorbell's own drivers.
  public abstract static class Functions {
    EndpointModel[] devices = {};
    int vectors;
    CpuInterface cpus = NoCpus.INSTANCE;
    Optional<Host> host = Optional.empty();
    Optional<Domain> domain = Optional.empty();
    List<HostFunction> functions = List.of();
    final AtomicInteger threads = new AtomicInteger();

    /// @param shape devices and vectors of each
    final void assign(
        String shape,
        BiFunction<Integer, Integer, EmbeddedMachine> made,
        Optional<AddressRange> window,
        boolean unsafeInterrupts) {
      String[] parts = shape.split("x", 2);
      int count = Integer.parseInt(parts[0]);
      vectors = Integer.parseInt(parts[1]);
      EmbeddedMachine machine = made.apply(count, vectors);
      List<Sbdf> named = IntStream.range(0, count).mapToObj(BenchMachine::device).toList();
      Host started = Host.start(machine);
      host = Optional.of(started);
      Assignment assigned =
          Assignment.of(
              started,
              named,
              new Assignment.Request(Granule.K4, window, vectors, vectors, unsafeInterrupts));
      functions = assigned.functions();
      domain = Optional.of(assigned.domain());
      devices =
          named.stream().map(f -> machine.endpoint(f).orElseThrow()).toArray(EndpointModel[]::new);
      cpus = machine.cpuInterface().orElse(NoCpus.INSTANCE);
    }
  }

  /// Those behind an SMMUv3 and an ITS.
  @State(Scope.Benchmark)
  public static class Assigned extends Functions {
    /// Devices and vectors of each.
    @Param({"1x1", "1x64", "1x2048", "256x1", "256x64"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, BenchMachine::arm, Optional.of(WINDOW), false);
    }
  }

  /// Those behind VT-d, which remaps their interrupts.
  @State(Scope.Benchmark)
  public static class Remapped extends Functions {
    /// Devices and vectors of each.
    @Param({"1x1", "1x64", "1x2048", "256x1", "256x64"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, BenchMachine::x86, Optional.empty(), false);
    }
  }

  /// Those behind a RISC-V IOMMU, whose messages go to interrupt files of two harts.
  @State(Scope.Benchmark)
  public static class Filed extends Functions {
    /// Devices and vectors of each.
    @Param({"1x1", "1x64", "64x16"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, BenchMachine::riscv, Optional.of(WINDOW), true);
    }
  }

  /// Those behind a PHB4, whose events an XIVE takes.
  @State(Scope.Benchmark)
  public static class Partitioned extends Functions {
    /// Devices and vectors of each.
    @Param({"1x1", "1x64", "64x16"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, PowerMachines::power9, Optional.empty(), false);
    }
  }

  /// Those behind a PHB3, whose events go to presentation controllers.
  @State(Scope.Benchmark)
  public static class Presented extends Functions {
    /// Devices and vectors of each.
    @Param({"1x1", "1x64", "64x16"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, PowerMachines::power8, Optional.empty(), false);
    }
  }

  /// Those behind a PAMU, whose messages go to one bank of an MPIC.
  @State(Scope.Benchmark)
  public static class Banked extends Functions {
    /// Devices and vectors of each: a bank has 256 interrupts.
    @Param({"1x1", "1x64", "64x4"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, PowerMachines::qoriq, Optional.of(WINDOW), true);
    }
  }

  /// Those of a PAPR guest, whose hypervisor programs them.
  @State(Scope.Benchmark)
  public static class Hosted extends Functions {
    /// Devices and vectors of each.
    @Param({"1x1", "1x64", "64x16"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, PowerMachines::papr, Optional.empty(), false);
    }
  }

  /// Those of a PAPR guest that manages its interrupts itself.
  @State(Scope.Benchmark)
  public static class Exploited extends Functions {
    /// Devices and vectors of each.
    @Param({"1x1", "1x64", "64x16"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, PowerMachines::paprExploited, Optional.empty(), false);
    }
  }

  /// Those behind a PHB5, whose events an XIVE of POWER10 takes.
  @State(Scope.Benchmark)
  public static class Second extends Functions {
    /// Devices and vectors of each.
    @Param({"1x1", "1x64", "64x16"})
    public String shape = "1x64";

    @Setup
    public void assign() {
      assign(shape, PowerMachines::power10, Optional.empty(), false);
    }
  }

  /// Where a thread is in its round: devices in turn, then the next vector. Two threads are half a round apart.
  @State(Scope.Thread)
  public static class Turn {
    private int device;
    private int vector;

    private boolean started;

    private void start(Functions a) {
      device = (a.threads.getAndIncrement() & 1) * a.devices.length / 2;
      started = true;
    }

    Firing fire(Functions a) {
      if (!started) {
        start(a);
      }
      Firing fired = a.devices[device].fire(vector);
      if (fired != Firing.SENT) {
        throw new IllegalStateException(
            "vector %d of device %d was not sent: %s".formatted(vector, device, fired));
      }
      if (++device == a.devices.length) {
        device = 0;
        vector = vector + 1 == a.vectors ? 0 : vector + 1;
      }
      return fired;
    }
  }

  /// {@return what the device knows; the LPI is pending then, after the first round already}
  @Benchmark
  public Firing pending(Assigned assigned, Turn turn) {
    return turn.fire(assigned);
  }

  /// {@return what the device knows; the message has found its IRTE, and its vector is requested at a local APIC}
  @Benchmark
  public Firing remapped(Remapped assigned, Turn turn) {
    return turn.fire(assigned);
  }

  /// {@return how many interrupts came of it, taken from the queue of their CPU: one}
  @Benchmark
  public int queued(Partitioned assigned, Turn turn) {
    return collected(assigned, turn);
  }

  /// {@return how many interrupts came of it, accepted from their presentation controller and ended: one}
  @Benchmark
  public int presented(Presented assigned, Turn turn) {
    return collected(assigned, turn);
  }

  /// {@return how many interrupts came of it, read from the bank: one}
  @Benchmark
  public int banked(Banked assigned, Turn turn) {
    return collected(assigned, turn);
  }

  /// {@return how many interrupts came of it, taken by calls of the hypervisor: one}
  @Benchmark
  public int hosted(Hosted assigned, Turn turn) {
    return collected(assigned, turn);
  }

  /// {@return how many interrupts came of it, taken from the guest's own queue: one}
  @Benchmark
  public int exploited(Exploited assigned, Turn turn) {
    return collected(assigned, turn);
  }

  /// {@return how many interrupts came of it, taken from the queue of their CPU: one}
  @Benchmark
  public int queuedByPhb5(Second assigned, Turn turn) {
    return collected(assigned, turn);
  }

  private static int collected(Functions assigned, Turn turn) {
    turn.fire(assigned);
    int taken = assigned.host.orElseThrow().poll();
    if (taken != 1) {
      throw new IllegalStateException(taken + " interrupts came of one message");
    }
    return taken;
  }

  /// {@return what the device knows; the identity is pending in an interrupt file then, after the first round already}
  @Benchmark
  public Firing filed(Filed assigned, Turn turn) {
    return turn.fire(assigned);
  }

  /// {@return the same as {@link #pending}, from two threads}
  @Benchmark
  @Threads(2)
  public Firing pendingTwoThreads(Assigned assigned, Turn turn) {
    return turn.fire(assigned);
  }

  /// {@return the interrupt, which the CPU that it is routed to has acknowledged and ended}
  @Benchmark
  public int taken(Assigned assigned, Turn turn) {
    turn.fire(assigned);
    for (int cpu = 0; cpu < assigned.cpus.cpus(); cpu++) {
      int intid = assigned.cpus.acknowledge(cpu);
      if (intid != CpuInterface.NONE) {
        assigned.cpus.endOfInterrupt(cpu, intid);
        return intid;
      }
    }
    throw new IllegalStateException("no CPU has the interrupt pending");
  }

  /// Stands in until the machine is built.
  private enum NoCpus implements CpuInterface {
    INSTANCE;

    @Override
    public int cpus() {
      return 0;
    }

    @Override
    public int acknowledge(int cpu) {
      return NONE;
    }

    @Override
    public void endOfInterrupt(int cpu, int intid) {}
  }
}
