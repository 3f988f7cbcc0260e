package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("interrupt lines and clocks of real QEMU machines, from outside")
class InterceptionTest {
  private static final long GICD = 0x0800_0000L;
  private static final long GICC = 0x0801_0000L;
  private static final long FRAME = 0x0802_0000L;
  private static final int SPI = 80;

  @Test
  @DisplayName(
      "irq_intercept_in: an Arm CPU's IRQ input rises with a message and falls with its acknowledgement, before that command's answer, in a batch too")
  void inputs() {
    try (QemuMachine machine =
        QemuMachine.start(Qemus.orSkip(), Board.GICV2M, Devices.of("edu,addr=1"))) {
      Qtest qtest = machine.process().qtest();
      List<String> heard = new ArrayList<>();
      qtest.interceptInputs("/machine/unattached/device[0]", (i, up) -> heard.add(i + " " + up));
      QtestBatch setUp = qtest.batch();
      setUp.write(GICD + 0xc00 + SPI / 16 * 4, 0xaaaa_aaaaL, 4);
      setUp.write(GICD + 0x800 + SPI, 1, 1);
      setUp.write(GICD + 0x100 + SPI / 32 * 4, 1L << SPI % 32, 4);
      setUp.write(GICD, 1, 4);
      setUp.write(GICC + 4, 0xff, 4);
      setUp.write(GICC, 1, 4);
      setUp.run();
      assertEquals(List.of(), heard);
      qtest.write(FRAME + 0x40, SPI, 4);
      assertEquals(List.of("0 true"), heard, "input 0 is IRQ");
      assertEquals(SPI, qtest.read(GICC + 0xc, 4));
      assertEquals(List.of("0 true", "0 false"), heard);
      QtestBatch batch = qtest.batch();
      batch.write(GICC + 0x10, SPI, 4);
      batch.write(FRAME + 0x40, SPI, 4);
      int taken = batch.read(GICC + 0xc, 4);
      batch.run();
      assertEquals(SPI, batch.value(taken));
      assertEquals(List.of("0 true", "0 false", "0 true", "0 false"), heard);
    }
  }

  @Test
  @DisplayName(
      "irq_intercept_out and set_irq_in: a PC's 8259A raises its output for an input that is not masked, and lowers it again")
  void outputs() {
    QemuProcess.Settings settings =
        new QemuProcess.Settings(
            Qemus.x86OrSkip(),
            "q35",
            dev.doorbell.address.AddressRange.ofSize(0, 64L << 20),
            List.of(),
            Qemus.PATIENCE);
    try (QemuProcess qemu = QemuProcess.start(settings)) {
      String pic = device(qemu, "isa-i8259");
      Qtest qtest = qemu.qtest();
      List<String> heard = new ArrayList<>();
      qtest.interceptOutputs(pic, (i, up) -> heard.add(i + " " + up));
      for (int word : new int[] {0x11, 0x20, 0x04, 0x01, 0xff}) {
        qtest.out(word == 0x11 ? 0x20 : 0x21, word, 1);
      }
      heard.clear();
      qtest.setInput(pic, "", 3, true);
      assertEquals(List.of(), heard, "masked");
      qtest.out(0x21, 0xf7, 1);
      assertEquals(List.of("0 true"), heard);
      qtest.setInput(pic, "", 3, false);
      qtest.out(0x21, 0xff, 1);
      assertEquals(List.of("0 true", "0 false"), heard);
      assertThrows(QemuRefused.class, () -> qtest.setInput("/machine/none", "", 0, true));
    }
  }

  @Test
  @DisplayName(
      "clock_step and clock_set: with the accelerator qtest an edu's transfer is done when its 100 ms have passed, and not before")
  void clock() {
    QemuProcess.Settings settings =
        new QemuProcess.Settings(
                Qemus.orSkip(),
                "virt,gic-version=3",
                Qemus.RAM,
                List.of("-cpu", "cortex-a57", "-device", "edu,addr=1,dma_mask=0xffffffffffffffff"),
                Qemus.PATIENCE)
            .withAccelerator("qtest");
    try (QemuProcess qemu = startOrSkip(settings)) {
      var unused = qemu.qmp().execute("cont", Map.of());
      Qtest qtest = qemu.qtest();
      long bar = 0x1000_0000L;
      long config = 0x40_1000_0000L + (1 << 15);
      qtest.write(config + 0x10, bar, 4);
      qtest.write(config + 4, 6, 2);
      qtest.write(bar + 0x80, Qemus.RAM.start() + 0x400_0000L, 8);
      qtest.write(bar + 0x88, 0x4_0000, 8);
      qtest.write(bar + 0x90, 8, 8);
      qtest.write(bar + 0x98, 1, 8);
      long before = qtest.clockStep(99_000_000);
      assertEquals(1, qtest.read(bar + 0x98, 8) & 1);
      assertEquals(before + 2_000_000, qtest.clockSet(before + 2_000_000));
      assertEquals(0, qtest.read(bar + 0x98, 8) & 1);
    }
  }

  /// Distributions may leave that accelerator out.
  private static QemuProcess startOrSkip(QemuProcess.Settings settings) {
    try {
      return QemuProcess.start(settings);
    } catch (QemuDied e) {
      assertTrue(e.getMessage().contains("qtest"), e.getMessage());
      return Assumptions.abort("this QEMU has no accelerator qtest: " + e.getMessage());
    }
  }

  /// {@return the path of the first device of a type, as QEMU's own tree of objects has it}
  private static String device(QemuProcess qemu, String type) {
    for (int i = 0; ; i++) {
      String path = "/machine/unattached/device[%d]".formatted(i);
      if (qemu.qmp().execute("qom-get", Map.of("path", path, "property", "type")).equals(type)) {
        return path;
      }
    }
  }
}
