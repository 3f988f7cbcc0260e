package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("VT-d 8.1: X2APIC_OPT_OUT keeps the system in xAPIC mode, as Linux has it")
class X2ApicOptOutTest {
  private static final String TABLES = "sys/firmware/acpi/tables/";

  @TempDir Path folder;

  private void write(String name, byte[] bytes) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }

  /// Three processors, of APIC ids 0, 254 and 256, and a unit that remaps.
  private MachineDescription machine(int flags) throws IOException {
    Bytes dmar = new Bytes().u8(45, flags).u64(0).u16(0);
    dmar.u16(Dmar.DRHD, 16).u8(1, 0).u16(0).u64(0xfed9_0000L);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, dmar));
    Bytes madt = new Bytes().u32(0xfee0_0000).u32(0);
    for (int id : new int[] {0, 254, 256}) {
      madt.u8(9, 16).u16(0).u32(id).u32(1).u32(id);
    }
    write(TABLES + "APIC", Bytes.table("APIC", 3, madt));
    return Firmware.read(Sysroot.open(folder));
  }

  private static OptionalInt vectors(MachineDescription m) {
    return m.msiControllers().stream()
        .filter(MsiControllerDescription.LocalApic.class::isInstance)
        .map(c -> ((MsiControllerDescription.LocalApic) c).vectors())
        .findFirst()
        .orElseThrow();
  }

  @Test
  @DisplayName("processors with wide ids count only where x2APIC mode may be used")
  void counted() throws IOException {
    MachineDescription out = machine(3);
    ApicDescription apic = out.apic().orElseThrow();
    assertEquals(3, apic.cpus().size());
    assertEquals(2, apic.reachable());
    assertEquals(OptionalInt.of(2 * 224), vectors(out));
    assertEquals(TABLES + "DMAR+0x25", apic.xApicOnly().orElseThrow().toString());
    assertTrue(
        out.oddities().stream().anyMatch(o -> o.message().contains("1 of 3 processors")),
        out.oddities()::toString);
    assertEquals(OptionalInt.of(3 * 224), vectors(machine(1)));
  }

  @Test
  @DisplayName("the kernel's command line overrides it")
  void overridden() throws IOException {
    write(
        "proc/cmdline",
        "root=/dev/sda1 intremap=no_x2apic_optout".getBytes(StandardCharsets.UTF_8));
    assertEquals(OptionalInt.of(3 * 224), vectors(machine(3)));
  }
}
