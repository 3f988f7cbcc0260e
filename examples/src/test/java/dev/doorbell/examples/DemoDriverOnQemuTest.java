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
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the example, unchanged, on QEMU's hardware")
class DemoDriverOnQemuTest {
  private static final Sbdf EDU = Sbdf.parse("01:00.0");

  private final ByteArrayOutputStream said = new ByteArrayOutputStream();

  private DemoDriver driver(Vfio vfio, DeviceProgram.Factory program) {
    return new DemoDriver(vfio, program, new PrintStream(said, true, StandardCharsets.UTF_8));
  }

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
          assertEquals(1, driver(vfio, EduProgram::new).run(EDU));
        }
        String all = said.toString(StandardCharsets.UTF_8);
        assertEquals(8, all.lines().count());
        assertTrue(all.contains("doorbells=[its@0x8080000], pages=1"), all);
        assertTrue(all.contains("1 vectors arrived, 4096 bytes copied"), all);
      }
    }
  }

  @Test
  @DisplayName("with the clock stopped edu never ends its transfer, and the driver says so")
  void silent() {
    try (QemuMachine machine = start(Board.GICV3);
        Vfio vfio = HostVfio.open(Host.start(machine))) {
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> driver(vfio, EduProgram::new).run(EDU));
      assertEquals(
          "the device has signalled the end of a step of the copy 0 times", e.getMessage());
    }
  }

  @Test
  @DisplayName("another device's program, and a frame that isolates nobody, are refused")
  void refused() {
    try (QemuMachine machine = start(Board.GICV2M);
        Vfio vfio = HostVfio.open(Host.start(machine))) {
      assertThrows(NotIsolated.class, () -> driver(vfio, EduProgram::new).run(EDU));
    }
    try (QemuMachine machine = start(Board.GICV3);
        Vfio vfio = HostVfio.open(Host.start(machine))) {
      assertThrows(IllegalStateException.class, () -> driver(vfio, DemoProgram::new).run(EDU));
    }
  }
}
