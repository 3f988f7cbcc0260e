package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.WireSignal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("ACPI 6.5, 5.2.12.5: interrupt source overrides of the MADT")
class SourceOverrideTest {
  @TempDir Path folder;

  /// A machine with one CPU, I/O APICs 8 (from GSI 0) and 9 (from 24), and these structures.
  private MachineDescription machine(long... structures) throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Bytes madt = new Bytes().u32(0xfee0_0000).u32(1).u8(0, 8, 0, 0).u32(1);
    madt.u8(1, 12, 8, 0).u32(0xfec0_0000).u32(0).u8(1, 12, 9, 0).u32(0xfec0_1000).u32(24);
    madt.u8(structures);
    Files.write(tables.resolve("APIC"), Bytes.table("APIC", 3, madt));
    return Firmware.read(Sysroot.open(folder));
  }

  @Test
  @DisplayName(
      "what an override says counts; else the first 16 are active high and edge-triggered, and others active low and level-triggered")
  void signals() throws IOException {
    MachineDescription m =
        machine(
            2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0, 2, 10, 0, 11, 25, 0, 0,
            0, 0x0f, 0, 2, 10, 0, 5, 5, 0, 0, 0, 0x07, 0);
    ApicDescription a = m.apic().orElseThrow();
    assertEquals(List.of(0, 9, 11, 5), a.lines().stream().map(ApicDescription.Line::irq).toList());
    assertEquals(WireSignal.ISA, a.signal(2));
    assertEquals(new WireSignal(false, true), a.signal(9));
    assertEquals(new WireSignal(true, true), a.signal(25));
    assertEquals(new WireSignal(true, false), a.signal(5));
    assertEquals(WireSignal.ISA, a.signal(15));
    assertEquals(WireSignal.PCI, a.signal(16));
    assertEquals(Optional.of(8), a.ioApic(23).map(ApicDescription.IoApic::apicId));
    assertEquals(Optional.of(9), a.ioApic(24).map(ApicDescription.IoApic::apicId));
    assertTrue(m.oddities().stream().noneMatch(o -> o.message().contains("override")), m::toString);
  }

  @Test
  @DisplayName("reserved flags are said and count as usual; one that is cut short is passed over")
  void odd() throws IOException {
    MachineDescription reserved = machine(2, 10, 0, 7, 7, 0, 0, 0, 0x0a, 0);
    assertEquals(WireSignal.ISA, reserved.apic().orElseThrow().signal(7));
    assertTrue(
        reserved.oddities().stream()
            .anyMatch(o -> o.message().contains("IRQ 7 has reserved flags")));
    MachineDescription cut = machine(2, 8, 0, 7, 7, 0, 0, 0);
    assertEquals(List.of(), cut.apic().orElseThrow().lines());
    assertTrue(cut.oddities().stream().anyMatch(o -> o.message().contains("length 8")));
  }
}
