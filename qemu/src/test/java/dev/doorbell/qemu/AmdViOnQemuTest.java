package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.hw.amdvi.AmdViDomains;
import dev.doorbell.hw.amdvi.AmdViDriver;
import dev.doorbell.hw.amdvi.AmdViSettings;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What arrives is seen in the local APIC's request register. QEMU logs no events (its event log stays empty), and remaps interrupts by the
/// former device table when the IOMMU is off.
@DisplayName("Our driver of AMD IOMMUs on QEMU's")
class AmdViOnQemuTest {
  private static final Sbdf EDU = Sbdf.parse("00:01.0");
  private static final int DEVICE = 0x08;
  private static final Pattern REQUESTS = Pattern.compile("(?m)^IRR\\s*(.*)$");

  private static QemuMachine machine;
  private AmdViDriver iommu;

  @BeforeAll
  static void start() {
    machine = QemuMachine.start(Qemus.x86OrSkip(), Board.Q35_AMDVI, Devices.of("edu,addr=1"));
  }

  @AfterAll
  static void stop() {
    if (machine != null) {
      machine.close();
    }
  }

  @BeforeEach
  void open() {
    machine.reset();
    iommu = driver();
    ConfigSpace edu = machine.config(EDU);
    edu.write(0x04, 0x6, 2);
  }

  private static AmdViDriver driver() {
    IommuDescription.AmdVi found =
        assertInstanceOf(IommuDescription.AmdVi.class, machine.description().iommus().getFirst());
    return AmdViDriver.open(
        found.id(),
        machine.registers(found.window()),
        machine.memory(),
        machine.frames(),
        AmdViSettings.of(new AmdViDomains()));
  }

  /// {@return vectors that are pending at the CPU}
  private static Set<Integer> pending() {
    Matcher m = REQUESTS.matcher(machine.process().qmp().monitor("info lapic"));
    assertEquals(true, m.find(), "the monitor tells of IRR");
    Set<Integer> out = new TreeSet<>();
    Matcher numbers = Pattern.compile("\\d+").matcher(m.group(1));
    while (numbers.find()) {
      out.add(Integer.parseInt(numbers.group()));
    }
    return out;
  }

  private static void raise(long address, int data) {
    ConfigSpace edu = machine.config(EDU);
    int msi = edu.read8(0x34);
    edu.write(msi + 4, (int) address, 4);
    edu.write(msi + 8, 0, 4);
    edu.write(msi + 12, data, 2);
    edu.write(msi + 2, edu.read16(msi + 2) | 1, 2);
    machine.edu(EDU).raise(0);
  }

  private static X86Interrupt to(int vector) {
    return new X86Interrupt(vector, 0, false, 0, false);
  }

  @Test
  @DisplayName("48882 2.2.5: messages are remapped by the device's own table, moved, and held back")
  void interrupts() {
    RemapEntries entries = iommu.allocate(new MsiSource("edu", DEVICE), 2, false);
    raise(entries.address(0), entries.data(0));
    assertEquals(Set.of(), pending(), "off until routed");
    entries.route(1, to(0x41));
    raise(entries.address(1), entries.data(1));
    assertEquals(Set.of(0x41), pending());
    entries.route(1, to(0x52));
    raise(entries.address(1), entries.data(1));
    assertEquals(Set.of(0x41, 0x52), pending());
    entries.block(1);
    entries.route(0, to(0x63));
    raise(entries.address(1), entries.data(1));
    assertEquals(Set.of(0x41, 0x52), pending());
    raise(entries.address(0), entries.data(0));
    assertEquals(Set.of(0x41, 0x52, 0x63), pending());
    entries.free();
    raise(entries.address(0), 0);
    assertEquals(Set.of(0x41, 0x52, 0x63), pending());
  }

  @ParameterizedTest
  @DisplayName(
      "48882 2.2.3: memory is reached through pages of several sizes, and no longer after an unmap or a block")
  @ValueSource(longs = {0x1000, 0x8000, 0x20_0000, 0x40_0000})
  void memory(long bytes) {
    Pa target = machine.frames().allocate(bytes, bytes);
    long last = bytes - 0x100;
    byte[] before = new byte[16];
    Arrays.fill(before, (byte) 0x5a);
    byte[] none = new byte[16];
    AddressSpace space = iommu.createAddressSpace(Granule.K4);
    space.map(new Iova(0x400_0000), target, bytes, Protection.READ_WRITE);
    machine.memory().write(target.value() + last, before);
    machine.runClock();
    try {
      EduStimulus edu = machine.edu(EDU);
      iommu.attach(DEVICE, space);
      edu.fetch(new Iova(0x400_0000 + last), 0, 16);
      edu.store(0, new Iova(0x400_0000 + last - 0x80), 16);
      byte[] copied = new byte[16];
      machine.memory().read(target.value() + last - 0x80, copied);
      assertArrayEquals(before, copied);
      assertEquals(0x1000, space.unmap(new Iova(0x400_0000 + (last & -0x1000L)), 0x1000));
      edu.store(0, new Iova(0x400_0000 + last - 0x40), 16);
      iommu.block(DEVICE);
      edu.store(0, new Iova(0x400_0000), 16);
      machine.memory().read(target.value() + last - 0x40, copied);
      assertArrayEquals(none, copied, "unmapped");
      machine.memory().read(target.value(), copied);
      assertArrayEquals(none, copied, "blocked");
    } finally {
      machine.stopClock();
      iommu.block(DEVICE);
      space.close();
      machine.frames().free(target, bytes);
    }
  }
}
