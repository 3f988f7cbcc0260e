package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.host.LiveState;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("our VT-d driver on QEMU's intel-iommu: tables, queue, interrupt remapping")
class QemuVtdTest {
  private static final Assignment.Request REQUEST =
      new Assignment.Request(Granule.K4, Optional.empty(), 1, 32, false);

  private static QemuMachine start(int widthBits) {
    return QemuMachine.start(
        Qemus.x86OrSkip(),
        Board.Q35_VTD,
        Devices.of(
                "edu,addr=1",
                "pcie-root-port,id=port0,chassis=1,addr=2",
                "e1000e,romfile=,bus=port0",
                "pcie-root-port,id=port1,chassis=2,addr=3",
                "nvme,serial=a,bus=port1,max_ioqpairs=8,msix_qsize=9",
                "pcie-root-port,id=port2,chassis=3,addr=4",
                "pcie-pci-bridge,id=conventional,bus=port2",
                "edu,bus=conventional,addr=1")
            .and("-smp", "4", "-global", "intel-iommu.aw-bits=" + widthBits));
  }

  private static List<Sbdf> endpoints(QemuMachine machine) {
    List<Sbdf> out = new ArrayList<>(QemuAssignmentTest.functions(machine, 0x11e8_1234));
    out.addAll(QemuAssignmentTest.functions(machine, 0x10d3_8086));
    out.addAll(QemuAssignmentTest.functions(machine, 0x0010_1b36));
    return out;
  }

  @ParameterizedTest
  @ValueSource(ints = {39, 48})
  @DisplayName(
      "every vector of devices at the root, behind ports and a conventional bridge goes through its IRTE to its CPU, and our walker says the same")
  void everyVector(int widthBits) {
    try (QemuMachine machine = start(widthBits)) {
      Host host = Host.start(machine);
      List<Sbdf> functions = endpoints(machine);
      assertEquals(4, functions.size());
      Sbdf nvme = functions.getLast();
      int fired = 0;
      try (Assignment a = Assignment.of(host, functions, REQUEST)) {
        RouteWalker walker = new RouteWalker(host.survey(), new LiveState(host, a.functions()));
        for (HostFunction f : a.functions()) {
          for (LiveVector v : a.vectors(f)) {
            Route route = walker.walk(f.sbdf(), v.index());
            assertTrue(route.delivered(), route::toString);
            assertEquals(v.intid(), route.interrupt().orElseThrow().intid());
            assertTrue(v.entry().isPresent());
            if (f.sbdf().equals(nvme) && v.index() == 0) {
              // It told of the commands that made its queues, and is still pending: that it comes
              // again cannot be seen.
              assertTrue(host.poll() + host.interrupts().unclaimed() > 0);
              fired++;
              continue;
            }
            Assignment.Fired result = a.fire(f, v);
            assertTrue(result.delivered(), result::toString);
            fired++;
          }
        }
      }
      assertEquals(1 + 1 + 5 + 9, fired);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {48})
  @DisplayName(
      "a retargeted vector arrives at its new CPU; a released one, and one of a detached function, nowhere")
  void retarget(int widthBits) {
    try (QemuMachine machine = start(widthBits)) {
      Host host = Host.start(machine);
      Sbdf edu = Sbdf.parse("00:01.0");
      Assignment a = Assignment.of(host, List.of(edu), REQUEST);
      HostFunction f = a.functions().getFirst();
      MsiFunction vectors = f.vectors().orElseThrow();
      LiveVector before = vectors.vectors().getFirst();
      vectors.retarget(0, 3);
      LiveVector after = vectors.vectors().getFirst();
      assertEquals(before.message(), after.message());
      assertEquals(3, after.cpu());
      assertTrue(a.fire(f, after).delivered());
      long lost = host.interrupts().unclaimed();
      a.close();
      var unused = machine.fire(edu, 0);
      host.poll();
      assertEquals(lost, host.interrupts().unclaimed());
      assertFalse(vectors.isEnabled());
    }
  }
}
