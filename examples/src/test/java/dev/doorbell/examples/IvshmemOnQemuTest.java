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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("ivshmem-doorbell: an eventfd of this process becomes an interrupt of QEMU's machine")
class IvshmemOnQemuTest {
  private static final int VECTORS = 8;
  private static final AddressRange WINDOW = AddressRange.ofSize(0x0800_0000L, 0x10_0000L);
  private static final Sbdf DEVICE = Sbdf.parse("01:00.0");

  @Test
  @DisplayName("every vector, by its eventfd and by the device's own doorbell; a masked one waits")
  void everyVector(@TempDir Path folder) {
    QemuBinary binary = binary();
    try (IvshmemServer server = IvshmemServer.open(folder.resolve("ivshmem"), VECTORS);
        QemuMachine machine =
            QemuMachine.start(
                binary,
                Board.GICV3,
                Devices.of(
                        "pcie-root-port,id=port0,chassis=1,addr=1",
                        "ivshmem-doorbell,vectors=8,chardev=iv,bus=port0")
                    .and("-chardev", "socket,id=iv,path=" + server.socket()))) {
      Host host = Host.start(machine);
      IvshmemStimulus device =
          new IvshmemStimulus(DEVICE.toString(), machine.bar(DEVICE, 0), server);
      machine.stimulateBy(DEVICE, device);
      try (Assignment a =
          Assignment.of(
              host,
              List.of(DEVICE),
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
