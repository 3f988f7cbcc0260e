package dev.doorbell.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.host.Host;
import dev.doorbell.host.HostVfio;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.qemu.Board;
import dev.doorbell.qemu.Devices;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuMachine;
import dev.doorbell.qemu.QemuMissing;
import dev.doorbell.vfio.Vfio;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the example, unchanged, on QEMU's hardware")
class DemoDriverOnQemuTest {
  private static final Sbdf EDU = Sbdf.parse("01:00.0");

  private static QemuMachine start(Board board) {
    try {
      return QemuMachine.start(
          QemuBinary.arm(),
          board,
          Devices.of("pcie-root-port,id=port0,chassis=1,addr=1", "edu,bus=port0"));
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
  }

  @Test
  @DisplayName(
      "edu's message arrives, it copies 4096 bytes, and the window holds the doorbell; twice")
  void runs() throws InterruptedException {
    try (QemuMachine machine = start(Board.GICV3)) {
      machine.runClock();
      try (Vfio vfio = HostVfio.open(Host.start(machine))) {
        for (int i = 0; i < 2; i++) {
          DemoDriver.Outcome done = new DemoDriver(vfio, EduProgram::new).run(EDU);
          assertEquals(1, done.vectors());
          assertEquals(4096, done.copied());
          assertEquals(List.of("its@0x8080000"), done.need().doorbells());
          assertTrue(done.window().orElseThrow().bytes() >= done.need().bytes());
        }
      }
    }
  }

  @Test
  @DisplayName("with the clock stopped edu never ends its transfer, and the driver says so")
  void silent() {
    try (QemuMachine machine = start(Board.GICV3);
        Vfio vfio = HostVfio.open(Host.start(machine))) {
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class, () -> new DemoDriver(vfio, EduProgram::new).run(EDU));
      assertEquals("the device has not signalled the end of a step of the copy", e.getMessage());
    }
  }

  @Test
  @DisplayName("another device's program, and a frame that isolates nobody, are refused")
  void refused() {
    try (QemuMachine machine = start(Board.GICV2M);
        Vfio vfio = HostVfio.open(Host.start(machine))) {
      assertThrows(NotIsolated.class, () -> new DemoDriver(vfio, EduProgram::new).run(EDU));
    }
    try (QemuMachine machine = start(Board.GICV3);
        Vfio vfio = HostVfio.open(Host.start(machine))) {
      assertThrows(
          IllegalStateException.class, () -> new DemoDriver(vfio, DemoProgram::new).run(EDU));
    }
  }
}
