package dev.doorbell.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("the machines that are measured deliver every message, and allocate nothing for it")
class BenchMachineTest {
  private static final int VECTORS = 4;
  private static final int MOST_RUNS = 50;
  private static final int MESSAGES = 20_000;

  private static void deliversAndAllocatesNothing(
      EmbeddedMachine machine, Optional<AddressRange> window) {
    Sbdf function = BenchMachine.device(1);
    Assignment.Request request =
        new Assignment.Request(Granule.K4, window, VECTORS, VECTORS, false);
    try (Assignment a = Assignment.of(Host.start(machine), List.of(function), request)) {
      assertEquals(1, a.functions().size());
      EndpointModel endpoint = machine.endpoint(function).orElseThrow();
      CpuInterface cpus = machine.cpuInterface().orElseThrow();
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      // While the path is being compiled, deoptimisation makes objects that were optimised away.
      for (int run = 0; run < MOST_RUNS && least > 0; run++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < MESSAGES; i++) {
          assertEquals(Firing.SENT, endpoint.fire(i % VECTORS));
          assertEquals(1, arrived(cpus));
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertEquals(0, least, "bytes over " + MESSAGES + " messages");
    }
  }

  private static int arrived(CpuInterface cpus) {
    int arrived = 0;
    for (int cpu = 0; cpu < cpus.cpus(); cpu++) {
      for (int intid = cpus.acknowledge(cpu);
          intid != CpuInterface.NONE;
          intid = cpus.acknowledge(cpu)) {
        cpus.endOfInterrupt(cpu, intid);
        arrived++;
      }
    }
    return arrived;
  }

  @Test
  @DisplayName("SMMUv3 and ITS")
  void arm() {
    deliversAndAllocatesNothing(
        BenchMachine.arm(2, VECTORS), Optional.of(new AddressRange(0x800_0000L, 0x80f_ffffL)));
  }

  @Test
  @DisplayName("VT-d, an interrupt remapping entry, a local APIC")
  void x86() {
    deliversAndAllocatesNothing(BenchMachine.x86(2, VECTORS), Optional.empty());
  }

  /// What is raised already swallows the next message, so that each one is taken, and only the messages count.
  private static void taken(
      EmbeddedMachine machine, Optional<AddressRange> window, boolean unsafeInterrupts) {
    Sbdf function = BenchMachine.device(1);
    Host host = Host.start(machine);
    Assignment.Request request =
        new Assignment.Request(Granule.K4, window, VECTORS, VECTORS, unsafeInterrupts);
    try (Assignment a = Assignment.of(host, List.of(function), request)) {
      assertEquals(1, a.functions().size());
      EndpointModel endpoint = machine.endpoint(function).orElseThrow();
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      for (int run = 0; run < MOST_RUNS && least > 0; run++) {
        long bytes = 0;
        for (int i = 0; i < MESSAGES; i++) {
          long before = threads.getCurrentThreadAllocatedBytes();
          assertEquals(Firing.SENT, endpoint.fire(i % VECTORS));
          bytes += threads.getCurrentThreadAllocatedBytes() - before;
          assertEquals(1, host.poll());
        }
        least = Math.min(least, bytes);
      }
      assertEquals(0, least, "bytes over " + MESSAGES + " messages");
    }
  }

  @Test
  @DisplayName("PAMU, a bank of an MPIC that its driver reads")
  void qoriq() {
    AddressRange window = new AddressRange(0x800_0000L, 0x80f_ffffL);
    taken(PowerMachines.qoriq(2, VECTORS), Optional.of(window), true);
  }

  @Test
  @DisplayName("PHB3, its IVE, a presentation controller that its driver reads")
  void power8() {
    taken(PowerMachines.power8(2, VECTORS), Optional.empty(), false);
  }

  @Test
  @DisplayName("PHB4, the page of an interrupt, XIVE, a queue that its driver reads")
  void power9() {
    taken(PowerMachines.power9(2, VECTORS), Optional.empty(), false);
  }

  @Test
  @DisplayName("a PAPR guest: what its hypervisor made of the vector, and calls that take it")
  void papr() {
    taken(PowerMachines.papr(2, VECTORS), Optional.empty(), false);
  }

  @Test
  @DisplayName("PHB5, the page of an interrupt, XIVE2, a queue that its driver reads")
  void power10() {
    taken(PowerMachines.power10(2, VECTORS), Optional.empty(), false);
  }

  @Test
  @DisplayName("a PAPR guest that manages its interrupts itself: the queue in its memory")
  void paprExploited() {
    taken(PowerMachines.paprExploited(2, VECTORS), Optional.empty(), false);
  }

  @ParameterizedTest
  @EnumSource(Platform.class)
  @DisplayName("every platform's works do what they say")
  void platforms(Platform platform) {
    PlatformBenchmark works = new PlatformBenchmark();
    PlatformBenchmark.Assigned assigned = new PlatformBenchmark.Assigned();
    assigned.platform = platform;
    assigned.assign();
    for (int i = 0; i < 200; i++) {
      assertEquals(BusOutcome.OK, works.written(assigned));
    }
    for (int i = 0; i < 200; i++) {
      int cpu = works.retargeted(assigned);
      assertEquals(cpu, assigned.function().vectors().get((200 + i) % assigned.vectors).cpu());
    }
    assertEquals(64, works.enabled(assigned));
  }

  @Test
  @DisplayName("the bare tables translate what was mapped, offset included")
  void bareTables() {
    BareTables tables = new BareTables();
    for (long page = 0; page < 3000; page++) {
      tables.map(0x7fff_0000_0000L + (page << 12), page * 7 << 12);
    }
    for (long page = 0; page < 3000; page++) {
      assertEquals((page * 7 << 12) + 0x123, tables.walk(0x7fff_0000_0123L + (page << 12)));
    }
  }
}
