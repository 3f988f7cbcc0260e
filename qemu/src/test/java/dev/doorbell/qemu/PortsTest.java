package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Layout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("I/O ports of a real QEMU PC, one access at a time and in batches")
class PortsTest {
  private static final int MASTER_8259 = 0x20;
  private static final int PIT = 0x40;
  private static final int PIT_CONTROL = 0x43;
  private static final int POST = 0x80;

  private static QemuMachine machine;

  @BeforeAll
  static void start() {
    machine =
        QemuMachine.start(
            Qemus.x86OrSkip(),
            Board.Q35_VTD,
            Devices.of(
                "edu,addr=1",
                "pcie-root-port,id=port0,chassis=1,addr=2",
                "e1000e,romfile=,bus=port0"));
  }

  @AfterAll
  static void stop() {
    if (machine != null) {
      machine.close();
    }
  }

  @Test
  @DisplayName(
      "PCI 3.0, 3.2.2.3.2: what 0xcf8 and 0xcfc read of every function is what ECAM reads, in each size")
  void configurationPorts() {
    ConfigPorts ports = new ConfigPorts(machine.process().qtest());
    List<Sbdf> functions = machine.description().functions().stream().map(f -> f.sbdf()).toList();
    assertTrue(functions.size() >= 4, functions::toString);
    for (Sbdf f : functions) {
      ConfigSpace byPort = ports.config(f);
      ConfigSpace byEcam = machine.config(f);
      for (int at = 0; at < 256; at += 4) {
        assertEquals(byEcam.read32(at), byPort.read32(at), "%s at 0x%x".formatted(f, at));
        assertEquals(byEcam.read16(at + 2), byPort.read16(at + 2));
        assertEquals(byEcam.read8(at + 3), byPort.read8(at + 3));
      }
    }
    Sbdf edu = Sbdf.parse("00:01.0");
    assertEquals(0x11e8_1234, ports.config(edu).read32(0));
    int interruptLine = 0x3c;
    ports.config(edu).write(interruptLine, 0x5a, 1);
    assertEquals(0x5a, machine.config(edu).read8(interruptLine));
    machine.config(edu).write(interruptLine, 0, 1);
    assertEquals(0, ports.config(edu).read8(interruptLine));
    assertEquals(-1, ports.config(Sbdf.parse("00:09.0")).read32(0));
    assertEquals(-1, ports.config(edu).read32(0x100));
    assertThrows(IllegalArgumentException.class, () -> ports.config(Sbdf.parse("1:00:01.0")));
  }

  @Test
  @DisplayName(
      "8259A: the interrupt mask register keeps what is written, by single accesses and by a batch")
  void interruptMask() {
    Qtest qtest = machine.process().qtest();
    qtest.out(MASTER_8259, 0x11, 1);
    qtest.out(MASTER_8259 + 1, 0x20, 1);
    qtest.out(MASTER_8259 + 1, 0x04, 1);
    qtest.out(MASTER_8259 + 1, 0x01, 1);
    QtestBatch batch = qtest.batch();
    for (int mask = 0; mask < 256; mask++) {
      batch.out(MASTER_8259 + 1, mask, 1);
      assertEquals(2 * mask + 1, batch.in(MASTER_8259 + 1, 1));
    }
    batch.run();
    for (int mask = 0; mask < 256; mask++) {
      assertEquals(mask, batch.value(2 * mask + 1));
    }
    qtest.out(MASTER_8259 + 1, 0xfff7, 1);
    assertEquals(0xf7, qtest.in(MASTER_8259 + 1, 1), "the value's other bytes do not go");
  }

  @Test
  @DisplayName(
      "8254: the timer's count goes in and out as two bytes, and stands still while the clock does")
  void timer() {
    Qtest qtest = machine.process().qtest();
    qtest.out(PIT_CONTROL, 0x30, 1);
    qtest.out(PIT, 0x34, 1);
    qtest.out(PIT, 0x12, 1);
    for (int i = 0; i < 2; i++) {
      qtest.out(PIT_CONTROL, 0x00, 1);
      long low = qtest.in(PIT, 1);
      assertEquals(0x1234, low | qtest.in(PIT, 1) << 8);
    }
    machine.runClock();
    try {
      long count = 0x1234;
      for (int i = 0; i < 100_000 && count == 0x1234; i++) {
        qtest.out(PIT_CONTROL, 0x00, 1);
        long low = qtest.in(PIT, 1);
        count = low | qtest.in(PIT, 1) << 8;
      }
      assertNotEquals(0x1234, count);
      assertEquals(
          List.of(0x10d3_8086),
          List.of(machine.config(Sbdf.parse("01:00.0")).read32(0)),
          "no firmware has renumbered the buses while the clock ran");
    } finally {
      machine.stopClock();
    }
  }

  @Test
  @DisplayName("sizes and ports that there are not are refused, and nothing reaches QEMU")
  void refused() {
    Qtest qtest = machine.process().qtest();
    assertThrows(IllegalArgumentException.class, () -> qtest.in(POST, 8));
    assertThrows(IllegalArgumentException.class, () -> qtest.in(POST, 3));
    assertThrows(IllegalArgumentException.class, () -> qtest.out(-1, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> qtest.out(0xffff, 0, 2));
    assertThrows(IllegalArgumentException.class, () -> qtest.batch().in(0x1_0000, 1));
    assertThrows(IllegalArgumentException.class, () -> qtest.batch().out(0xfffe, 0, 4));
    assertEquals(0xffff_ffffL, qtest.in(0xfffc, 4), "nothing is there");
    qtest.out(0xffff, 0, 1);
  }

  @Test
  @DisplayName(
      "the PC is described by QEMU's own ACPI tables: VT-d, local APICs and functions, again after a reset")
  void described() {
    assertEquals(1, machine.description().iommus().size());
    assertTrue(
        machine.description().iommus().getFirst().toString().contains("fed90000"),
        machine.description().iommus()::toString);
    assertEquals(1, machine.description().msiControllers().size());
    assertFalse(machine.description().hostBridges().getFirst().streams().isEmpty());
    Map<Integer, Integer> before = Map.of(0, machine.config(Sbdf.parse("01:00.0")).read32(0x10));
    machine.reset();
    assertEquals(before, Map.of(0, machine.config(Sbdf.parse("01:00.0")).read32(0x10)));
    assertEquals(0x0100_00edL, machine.bar(Sbdf.parse("00:01.0"), 0).read32(0));
  }

  @Test
  @DisplayName(
      "QEMU include/hw/pci/pci_host.h, include/hw/pci-host/q35.h: bits of 0xcf8 and of PCIEXBAR")
  void layouts() {
    Layout address = ConfigPortsLayout.ADDRESS;
    assertEquals(4, address.bytes());
    assertEquals(1L << 31, ConfigPortsLayout.ENABLE.mask());
    assertEquals(0xffL << 16, ConfigPortsLayout.BUS.mask());
    // PCI_DEVFN within bits 15:8, and PCI_CONFIG_SPACE_SIZE - 1 without its two lowest bits.
    assertEquals(0xffL << 8, ConfigPortsLayout.DEVICE.mask() | ConfigPortsLayout.FUNCTION.mask());
    assertEquals(0xfcL, ConfigPortsLayout.REGISTER.mask());
    // MCH_HOST_BRIDGE_PCIEXBAR, ..EN, ..LENGTH_*, ..ADMSK, ..128ADMSK, ..64ADMSK.
    assertEquals(0x60, Q35Layout.PCIEXBAR);
    assertEquals(1, Q35Layout.ENABLE.mask());
    assertEquals(6, Q35Layout.LENGTH.mask());
    assertEquals(0xf_f000_0000L, Q35Layout.BASE.mask());
    assertEquals(1L << 27, Q35Layout.BASE_128M.mask());
    assertEquals(1L << 26, Q35Layout.BASE_64M.mask());
  }
}
