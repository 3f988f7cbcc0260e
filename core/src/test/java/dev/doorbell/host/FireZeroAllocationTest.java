package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("an MSI allocates nothing from the endpoint to the CPU")
class FireZeroAllocationTest {
  private static final int MESSAGES = 20_000;
  private static final AddressRange WINDOW = new AddressRange(0x800_0000L, 0x80f_ffffL);

  private final EmbeddedMachine machine =
      EmbeddedMachine.of(
          Firmware.read(Sysroot.open(Path.of("..", "samples", "arm64-its-acpi-switch-sriov"))));
  private final CpuInterface cpus = machine.cpuInterface().orElseThrow();

  /// Heap that many messages take, the least of several runs: the first ones run in the interpreter and load classes.
  private static long bytes(Runnable message) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 6 && least > 0; run++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < MESSAGES; i++) {
        message.run();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }

  private int arrived() {
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

  private void allocatesNothing(String sbdf) {
    Sbdf function = Sbdf.parse(sbdf);
    Assignment.Request request =
        new Assignment.Request(Granule.K4, Optional.of(WINDOW), 1, 2048, false);
    try (Assignment a = Assignment.of(Host.start(machine), List.of(function), request)) {
      EndpointModel endpoint = machine.endpoint(function).orElseThrow();
      int vectors = a.vectors(a.functions().getFirst()).size();
      arrived();
      int[] next = {0};
      long least =
          bytes(() -> {
            assertEquals(Firing.SENT, endpoint.fire(next[0]));
            next[0] = (next[0] + 1) % vectors;
            assertEquals(1, arrived());
          });
      assertEquals(0, least, "bytes over " + MESSAGES + " messages");
    }
  }

  @Test
  @DisplayName("below a switch: three ports, SMMUv3, ITS, acknowledged")
  void belowSwitch() {
    allocatesNothing("04:00.0");
  }

  @Test
  @DisplayName("from a VF")
  void virtualFunction() {
    allocatesNothing("01:10.0");
  }

  /// Fires one vector after another, and lets the drivers collect and hand on.
  @Test
  @DisplayName("nor from there through GICv3 and ITS drivers to whoever waits")
  void collected() {
    Sbdf function = Sbdf.parse("04:00.0");
    Assignment.Request request =
        new Assignment.Request(Granule.K4, Optional.of(WINDOW), 1, 4, false);
    Host host = Host.start(machine);
    try (Assignment a = Assignment.of(host, List.of(function), request)) {
      EndpointModel endpoint = machine.endpoint(function).orElseThrow();
      List<LiveVector> vectors = a.vectors(a.functions().getFirst());
      int[] arrived = {0};
      for (LiveVector v : vectors) {
        host.interrupts()
            .at(host.msiController(v.controller()).orElseThrow())
            .add(v.intid(), (intid, cpu) -> arrived[0]++);
      }
      int[] fired = {0};
      long least =
          bytes(() -> {
            assertEquals(Firing.SENT, endpoint.fire(fired[0] % vectors.size()));
            fired[0]++;
            assertEquals(1, host.poll());
            assertEquals(fired[0], arrived[0]);
          });
      // An object a message would be 16 bytes each; a compiler that is still at work leaves some in
      // all.
      assertEquals(0, least / MESSAGES, least + " bytes over " + MESSAGES + " messages");
    }
  }

  @Test
  @DisplayName("and neither does a DMA write that faults")
  void fault() {
    Sbdf function = Sbdf.parse("04:00.0");
    Assignment.Request request =
        new Assignment.Request(Granule.K4, Optional.of(WINDOW), 1, 1, false);
    try (Assignment a = Assignment.of(Host.start(machine), List.of(function), request)) {
      EndpointModel endpoint = machine.endpoint(function).orElseThrow();
      assertEquals(1, a.vectors(a.functions().getFirst()).size());
      assertEquals(0, bytes(() -> endpoint.dmaWrite(0x4000_0000L, 1, Integer.BYTES)));
    }
  }
}
