package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Assignment.Arrival;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("our drivers on QEMU's hardware: device, SMMU, interrupt controller")
class QemuAssignmentTest {
  private static final AddressRange WINDOW = AddressRange.ofSize(0x800_0000, 0x10_0000);
  private static final int EDU = 0x11e8_1234;
  private static final int E1000E = 0x10d3_8086;
  private static final int NVME = 0x0010_1b36;

  @ParameterizedTest
  @EnumSource(names = {"GICV3", "GICV2M"})
  @DisplayName(
      "every vector of devices at the root, behind ports, a switch and a bridge to conventional PCI arrives, again after a reset")
  void everyPlace(Board board) {
    try (QemuMachine machine = QemuMachine.start(Qemus.orSkip(), board, Devices.usual())) {
      for (int round = 0; round < 2; round++) {
        Host host = Host.start(machine);
        List<Sbdf> edus = functions(machine, EDU);
        assertEquals(
            List.of(Sbdf.parse("00:01.0"), Sbdf.parse("05:00.0"), Sbdf.parse("08:01.0")), edus);
        List<Sbdf> all = new ArrayList<>(edus);
        all.addAll(functions(machine, E1000E));
        all.addAll(functions(machine, NVME));
        List<Assignment.Fired> fired = fireAll(host, all, board == Board.GICV2M);
        assertEquals(3 + 2 * 5 + 9, fired.size());
        // Second-level stream tables stay; all else is given back, so a second time takes nothing
        // more.
        long before = machine.frames().bytesInUse();
        all.removeAll(functions(machine, E1000E));
        fired.addAll(fireAll(host, all, board == Board.GICV2M));
        assertEquals(before, machine.frames().bytesInUse(), "memory that was not given back");
        for (Assignment.Fired f : fired) {
          assertEquals(List.of(new Arrival(f.vector().intid(), 0)), f.arrivals(), f::toString);
          assertTrue(f.delivered());
        }
        machine.reset();
        assertEquals(0, machine.frames().bytesInUse());
      }
    }
  }

  static List<Sbdf> functions(QemuMachine machine, int id) {
    return machine.description().functions().stream()
        .filter(f -> f.config().read32(0) == id)
        .map(f -> f.sbdf())
        .toList();
  }

  static List<Assignment.Fired> fireAll(Host host, List<Sbdf> functions, boolean unsafe) {
    List<Assignment.Fired> out = new ArrayList<>();
    Assignment.Request request =
        new Assignment.Request(Granule.K4, Optional.of(WINDOW), 1, 32, unsafe);
    try (Assignment a = Assignment.of(host, functions, request)) {
      for (HostFunction f : a.functions()) {
        for (LiveVector v : a.vectors(f)) {
          out.add(a.fire(f, v));
        }
      }
    }
    return out;
  }
}
