package dev.doorbell.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.irq.InterruptDispatch;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.qemu.Board;
import dev.doorbell.qemu.Devices;
import dev.doorbell.qemu.IvshmemStimulus;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuMachine;
import dev.doorbell.qemu.QemuMissing;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("ivshmem-doorbell: an eventfd of this process becomes an interrupt of QEMU's machine")
class IvshmemOnQemuTest {
  private static final int VECTORS = 8;
  private static final AddressRange WINDOW = AddressRange.ofSize(0x0800_0000L, 0x10_0000L);
  private static final int IVSHMEM = 0x1110_1af4;

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "a root port,01:00.0,bus=port0",
    "a switch,04:00.0,bus=downstream0",
    "a bridge to conventional PCI,06:01.0,'bus=conventional,addr=1'",
  })
  @DisplayName("every vector, by its eventfd and by the device's own doorbell; a masked one waits")
  void everyVector(String behind, String at, String where, @TempDir Path folder) {
    Sbdf ivshmem = Sbdf.parse(at);
    QemuBinary binary = binary();
    try (IvshmemServer server = IvshmemServer.open(folder.resolve("ivshmem"), VECTORS);
        QemuMachine machine =
            QemuMachine.start(
                binary,
                Board.GICV3,
                Devices.of(
                        "pcie-root-port,id=port0,chassis=1,addr=1",
                        "pcie-root-port,id=port1,chassis=2,addr=2",
                        "x3130-upstream,id=upstream,bus=port1",
                        "xio3130-downstream,id=downstream0,bus=upstream,chassis=3,addr=0",
                        "pcie-root-port,id=port2,chassis=4,addr=3",
                        "pcie-pci-bridge,id=conventional,bus=port2",
                        "ivshmem-doorbell,vectors=8,chardev=iv," + where)
                    .and("-chardev", "socket,id=iv,path=" + server.socket()))) {
      Host host = Host.start(machine);
      assertEquals(
          List.of(ivshmem),
          machine.description().functions().stream()
              .filter(f -> f.config().read32(0) == IVSHMEM)
              .map(f -> f.sbdf())
              .toList(),
          behind);
      IvshmemStimulus device =
          new IvshmemStimulus(ivshmem.toString(), machine.bar(ivshmem, 0), server);
      machine.stimulateBy(ivshmem, device);
      try (Assignment a =
          Assignment.of(
              host,
              List.of(ivshmem),
              new Assignment.Request(Granule.K4, Optional.of(WINDOW), VECTORS, VECTORS, false))) {
        HostFunction f = a.functions().getFirst();
        assertEquals(VECTORS, a.vectors(f).size());
        for (LiveVector v : a.vectors(f)) {
          Assignment.Fired fired = a.fire(f, v);
          assertTrue(fired.delivered(), fired::toString);
          assertEquals(List.of(v.intid()), arriving(host, v, () -> device.ringOwn(v.index())));
        }
        LiveVector third = a.vectors(f).get(3);
        f.vectors().orElseThrow().mask(3, true);
        assertEquals(List.of(), arriving(host, third, () -> server.ring(3)));
        assertEquals(List.of(), arriving(host, third, () -> device.ringOwn(3)));
        assertEquals(
            List.of(third.intid()),
            arriving(host, third, () -> f.vectors().orElseThrow().mask(3, false)));
      }
    }
  }

  private static List<Integer> arriving(Host host, LiveVector v, Runnable what) {
    List<Integer> arrived = new ArrayList<>();
    InterruptDispatch dispatch =
        host.interrupts().at(host.msiController(v.controller()).orElseThrow());
    dispatch.add(v.intid(), (intid, cpu) -> arrived.add(intid));
    what.run();
    host.poll();
    dispatch.remove(v.intid());
    return arrived;
  }

  private static QemuBinary binary() {
    try {
      return QemuBinary.arm();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
  }
}
