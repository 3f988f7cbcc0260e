package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("PCI Firmware 3.3, 4.1.2 MCFG: segments, bus ranges, two tables")
class McfgRulesTest {
  private static final long MIB = 0x10_0000;

  @TempDir Path folder;
  private Path tables;

  @BeforeEach
  void tables() throws IOException {
    tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
  }

  private static Bytes mcfg() {
    return new Bytes().u64(0);
  }

  private static Bytes entry(Bytes b, long base, int segment, int first, int last) {
    return b.u64(base).u16(segment).u8(first, last).u32(0);
  }

  private MachineDescription read() {
    return Firmware.read(Sysroot.open(folder));
  }

  private MachineDescription read(Bytes body) throws IOException {
    Files.write(tables.resolve("MCFG"), Bytes.table("MCFG", 1, body));
    return read();
  }

  private static List<String> odd(MachineDescription m) {
    return m.oddities().stream().map(o -> o.message()).toList();
  }

  private static HostBridge bridge(MachineDescription m, String id) {
    return m.hostBridges().stream().filter(b -> b.id().equals(id)).findFirst().orElseThrow();
  }

  @Test
  @DisplayName(
      "several segments and several runs of buses: each window begins at its first bus, whose base is bus 0's")
  void segments() throws IOException {
    Bytes b = entry(mcfg(), 0x4_0000_0000L, 0, 0, 0x1f);
    entry(entry(b, 0x4_0000_0000L, 0, 0x90, 0xaf), 0x5_0000_0000L, 0x1234, 1, 0xff);
    MachineDescription m = read(b);
    assertEquals(List.of(), odd(m));
    assertEquals(
        List.of("pci0000:00", "pci0000:90", "pci1234:01"),
        m.hostBridges().stream().map(HostBridge::id).toList());
    assertEquals(
        Optional.of(AddressRange.ofSize(0x4_0000_0000L, 0x20 * MIB)),
        bridge(m, "pci0000:00").ecam());
    assertEquals(
        Optional.of(AddressRange.ofSize(0x4_0900_0000L, 0x20 * MIB)),
        bridge(m, "pci0000:90").ecam());
    assertEquals(
        Optional.of(AddressRange.ofSize(0x5_0010_0000L, 0xff * MIB)),
        bridge(m, "pci1234:01").ecam());
    assertEquals(0xaf, bridge(m, "pci0000:90").lastBus());
  }

  private void function(String root, String sbdf) throws IOException {
    Path device = Files.createDirectories(folder.resolve("sys/devices/" + root + "/" + sbdf));
    Files.write(device.resolve("config"), new byte[64]);
    Path bus = Files.createDirectories(folder.resolve("sys/bus/pci/devices"));
    Files.createSymbolicLink(bus.resolve(sbdf), Path.of("../../../devices/" + root + "/" + sbdf));
  }

  @Test
  @DisplayName(
      "functions on buses beyond the window belong to their root all the same, which is told")
  void beyondTheWindow() throws IOException {
    function("pci0000:00", "0000:00:01.0");
    function("pci0000:00", "0000:05:00.0");
    function("pci0000:40", "0000:40:00.0");
    Bytes b = entry(mcfg(), 0x4_0000_0000L, 0, 0, 1);
    MachineDescription m = read(entry(b, 0x4_0000_0000L, 0, 0x40, 0x41));
    assertEquals(5, bridge(m, "pci0000:00").lastBus());
    assertEquals(
        Optional.of(AddressRange.ofSize(0x4_0000_0000L, 2 * MIB)), bridge(m, "pci0000:00").ecam());
    assertEquals(0x41, bridge(m, "pci0000:40").lastBus());
    assertEquals(
        List.of(
            "the window ends with bus 0x1 of segment 0, and there are functions on buses up to 0x5; they are read as below root bus 0x0 all the same"),
        odd(m));
    assertEquals(44, m.oddities().getFirst().source().offset());
  }

  @Test
  @DisplayName(
      "root buses that sysfs shows share one window, or have each their own; the next root ends a root's buses")
  void roots() throws IOException {
    for (String root : List.of("pci0000:00", "pci0000:40", "pci0000:80")) {
      function(root, root.substring(3) + ":00.0");
    }
    Bytes b = entry(mcfg(), 0x4_0000_0000L, 0, 0x80, 0x9f);
    MachineDescription m = read(entry(b, 0x6_0000_0000L, 0, 0, 0x4f));
    assertEquals(
        Optional.of(AddressRange.ofSize(0x6_0000_0000L, 0x40 * MIB)),
        bridge(m, "pci0000:00").ecam());
    assertEquals(
        Optional.of(AddressRange.ofSize(0x6_0400_0000L, 0x10 * MIB)),
        bridge(m, "pci0000:40").ecam());
    assertEquals(
        Optional.of(AddressRange.ofSize(0x4_0800_0000L, 0x20 * MIB)),
        bridge(m, "pci0000:80").ecam());
    assertEquals(0x3f, bridge(m, "pci0000:00").lastBus());
    assertEquals(0x4f, bridge(m, "pci0000:40").lastBus());
  }

  @Test
  @DisplayName(
      "entries that end before they begin, repeat one, or leave the address space are told and passed over")
  void refused() throws IOException {
    Bytes b = entry(mcfg(), 0x4_0000_0000L, 0, 0, 0x1f);
    entry(b, 0x5_0000_0000L, 1, 0x20, 0x1f);
    entry(b, 0x4_0000_0000L, 0, 0, 0x1f);
    entry(b, -0x1000_0000L, 2, 0, 0xff);
    entry(b, 0x7_0000_0000L, 3, 4, 4);
    MachineDescription m = read(b);
    assertEquals(
        List.of("pci0000:00", "pci0003:04"), m.hostBridges().stream().map(HostBridge::id).toList());
    assertEquals(
        List.of(
            "entry ends at bus 0x1f, before its first bus 0x20",
            "entry for segment 0 repeats an earlier one",
            "entry's base 0xfffffffff0000000 leaves no room for 256 buses"),
        odd(m));
    assertEquals(44 + 16, m.oddities().getFirst().source().offset());
  }

  @Test
  @DisplayName("no entry, and bytes at the end that are none")
  void sizes() throws IOException {
    assertEquals(List.of("the table has no entry"), odd(read(mcfg())));
    MachineDescription m = read(entry(mcfg(), 0x4_0000_0000L, 0, 0, 0xff).u32(1, 2));
    assertEquals(List.of("8 bytes at the end are no entry"), odd(m));
    assertEquals(1, m.hostBridges().size());
  }

  @Test
  @DisplayName("of two tables, which Linux names MCFG1 and MCFG2, the first counts")
  void twoTables() throws IOException {
    Files.write(
        tables.resolve("MCFG1"), Bytes.table("MCFG", 1, entry(mcfg(), 0x4_0000_0000L, 0, 0, 0x1f)));
    Files.write(
        tables.resolve("MCFG2"), Bytes.table("MCFG", 1, entry(mcfg(), 0x8_0000_0000L, 0, 0, 0xff)));
    MachineDescription m = read();
    assertEquals(0x4_0000_0000L, bridge(m, "pci0000:00").ecam().orElseThrow().start());
    assertEquals(1, odd(m).size(), odd(m)::toString);
    assertTrue(
        odd(m)
            .getFirst()
            .endsWith(
                "MCFG2 is a second table MCFG; the first, "
                    + AcpiTables.FOLDER
                    + "/MCFG1, counts, as it does for Linux"),
        odd(m)::toString);
  }
}
