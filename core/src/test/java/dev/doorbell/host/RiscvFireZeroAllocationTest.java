package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("a RISC-V message allocates nothing from the endpoint to the hart that claims it")
class RiscvFireZeroAllocationTest {
  private static final int MESSAGES = 20_000;
  private static final Sbdf FUNCTION = Sbdf.parse("0000:00:05.0");
  private static final AddressRange WINDOW = new AddressRange(0x800_0000L, 0x80f_ffffL);

  private final EmbeddedMachine machine =
      EmbeddedMachine.of(
          new WhatIf(FUNCTION, 8, 0, true)
              .addTo(
                  Firmware.read(
                      Sysroot.open(Shared.require("captures/riscv64/qemu-virt-iommu-sys")))));
  private final InterruptFiles files = machine.interruptFiles().orElseThrow();

  private int claimed() {
    int claimed = 0;
    for (int cpu = 0; cpu < files.cpus(); cpu++) {
      while (files.claim(cpu) != InterruptFiles.NONE) {
        claimed++;
      }
    }
    return claimed;
  }

  @ParameterizedTest
  @DisplayName("through tables of the first and of the second stage, to each of four harts")
  @ValueSource(ints = {1, 2})
  void allocatesNothing(int stage) {
    Assignment.Request request =
        new Assignment.Request(Granule.K4, Optional.of(WINDOW), 8, 8, true);
    Host host = Host.start(machine, HostOptions.USUAL.withStage(stage));
    try (Assignment a = Assignment.of(host, List.of(FUNCTION), request)) {
      assertEquals(8, a.vectors(a.functions().getFirst()).size());
      EndpointModel endpoint = machine.endpoint(FUNCTION).orElseThrow();
      claimed();
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      // The first runs are in the interpreter and load classes.
      for (int run = 0; run < 6 && least > 0; run++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < MESSAGES; i++) {
          assertEquals(Firing.SENT, endpoint.fire(i % 8));
          assertEquals(1, claimed());
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertEquals(0, least, "bytes over " + MESSAGES + " messages");
    }
  }
}
