package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.MachineDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("HPET 1.0a, 3.2.4: the ACPI table")
class HpetTableTest {
  private static final int MEMORY = 0;

  @TempDir Path folder;

  /// A machine with one CPU, and an HPET of this content.
  private MachineDescription machine(Bytes hpet) throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Bytes madt = new Bytes().u32(0xfee0_0000).u32(1).u8(0, 8, 0, 0).u32(1);
    Files.write(tables.resolve("APIC"), Bytes.table("APIC", 3, madt));
    Files.write(tables.resolve("HPET"), Bytes.table("HPET", 1, hpet));
    return Firmware.read(Sysroot.open(folder));
  }

  private static Bytes hpet(int block, int space, long base, int number) {
    return new Bytes().u32(block).u8(space, 64, 0, 0).u64(base).u8(number).u16(0x80).u8(0);
  }

  private static ApicDescription.Hpet only(MachineDescription m) {
    List<ApicDescription.Hpet> all = m.apic().orElseThrow().hpets();
    assertEquals(1, all.size());
    return all.getFirst();
  }

  private static boolean says(MachineDescription m, String what) {
    return m.oddities().stream().anyMatch(o -> o.message().contains(what));
  }

  @Test
  @DisplayName("number, registers and count of timers; nobody remaps it where no table says so")
  void told() throws IOException {
    MachineDescription m = machine(hpet(0x8086_a701, MEMORY, 0xfed0_0000L, 2));
    assertEquals(
        new ApicDescription.Hpet(
            2,
            Optional.of(AddressRange.ofSize(0xfed0_0000L, 0x400)),
            OptionalInt.of(8),
            Optional.empty(),
            OptionalInt.empty(),
            only(m).source()),
        only(m));
    assertTrue(
        m.oddities().stream().noneMatch(o -> o.source().where().contains("HPET")), m::toString);
  }

  @Test
  @DisplayName("what nobody filled in, lies beside memory, or is cut off is said and not believed")
  void odd() throws IOException {
    MachineDescription unset = machine(hpet(-1, MEMORY, 0xfed0_0000L, 0));
    assertEquals(OptionalInt.empty(), only(unset).timers());
    assertTrue(says(unset, "nobody filled in"));
    MachineDescription many = machine(hpet(0x8086_bf01, MEMORY, 0xfed0_0000L, 0));
    assertEquals(OptionalInt.empty(), only(many).timers());
    assertTrue(says(many, "32 comparators"));
    MachineDescription beyond = machine(hpet(0x8086_b801, MEMORY, 0xfed0_0000L, 0));
    assertEquals(OptionalInt.empty(), only(beyond).timers());
    assertTrue(says(beyond, "25 comparators"));
    MachineDescription most = machine(hpet(0x8086_b701, MEMORY, 0xfed0_0000L, 0));
    assertEquals(OptionalInt.of(24), only(most).timers());
    MachineDescription port = machine(hpet(0x8086_a201, 1, 0x400, 0));
    assertEquals(Optional.empty(), only(port).registers());
    assertTrue(says(port, "address space 1"));
    for (long base : new long[] {0, 0x123, -0x400L + 1, 1L}) {
      MachineDescription m = machine(hpet(0x8086_a201, MEMORY, base, 0));
      assertEquals(Optional.empty(), only(m).registers());
      assertTrue(says(m, "are no KiB of memory"));
    }
    MachineDescription cut = machine(new Bytes().u32(0x8086_a201).u8(0));
    assertEquals(List.of(), cut.apic().orElseThrow().hpets());
    assertTrue(
        cut.oddities().stream().anyMatch(o -> o.source().where().contains("HPET")), cut::toString);
  }
}
