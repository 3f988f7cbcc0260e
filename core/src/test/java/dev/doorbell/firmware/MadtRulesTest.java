package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("ACPI 6.5, 5.2.12 MADT: Arm's structures of every revision and length")
class MadtRulesTest {
  private static final int ENABLED = 1;
  private static final int ONLINE_CAPABLE = 8;
  private static final long GICD_BASE = 0x2f00_0000L;
  private static final long GICC_BASE = 0x2c00_0000L;

  @TempDir Path folder;

  private MachineDescription read(Bytes structures) throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    byte[] body = structures.toArray();
    Bytes all = new Bytes().u32(0, 0);
    for (byte b : body) {
      all.u8(b);
    }
    Files.write(tables.resolve("APIC"), Bytes.table("APIC", 5, all));
    return Firmware.read(Sysroot.open(folder));
  }

  /// Adds a GICC of a length: 40 bytes in ACPI 5.0, 76 from 5.1, 80 from 6.0, 82 from 6.3.
  private static Bytes gicc(Bytes b, int length, int uid, long flags, long gicr, long mpidr) {
    int at = b.position();
    b.u8(0x0b, length).u16(0).u32(uid, uid, flags, 0, 0).u64(0).u64(GICC_BASE);
    if (length >= 76) {
      b.u64(0x11, 0x22).u32(25).u64(gicr).u64(mpidr);
    }
    while (b.position() < at + length) {
      b.u8(0xa5);
    }
    return b;
  }

  private static Bytes gicd(Bytes b, int version) {
    return b.u8(0x0c, 24).u16(0).u32(0).u64(GICD_BASE).u32(0).u8(version, 0, 0, 0);
  }

  private static GicDescription gic(MachineDescription m) {
    return m.gic().orElseThrow(() -> new AssertionError(m.oddities().toString()));
  }

  private static List<String> odd(MachineDescription m) {
    return m.oddities().stream().map(o -> o.message()).toList();
  }

  @ParameterizedTest(name = "{0} bytes")
  @CsvSource({"76", "80", "82", "100"})
  @DisplayName("GICC: MPIDR and redistributor lie where every length from ACPI 5.1 on has them")
  void giccLengths(int length) throws IOException {
    Bytes b = gicd(new Bytes(), 3);
    gicc(b, length, 0, ENABLED, 0x2f10_0000L, 0x8000_0101L);
    gicc(b, length, 1, ENABLED, 0x2f12_0000L, 0x3_0000_0000L);
    MachineDescription m = read(b);
    assertEquals(List.of(), odd(m));
    assertEquals(
        List.of(0x8000_0101L, 0x3_0000_0000L),
        gic(m).cpus().stream().map(GicDescription.Cpu::mpidr).toList());
    assertEquals(
        List.of(
            AddressRange.ofSize(0x2f10_0000L, 0x2_0000),
            AddressRange.ofSize(0x2f12_0000L, 0x2_0000)),
        gic(m).redistributors());
    assertEquals(
        Optional.empty(), gic(m).cpuInterface(), "a GICv3's GICC frame is no CPU interface");
  }

  @Test
  @DisplayName(
      "GICC of ACPI 5.0, 40 bytes: no MPIDR, so CPUs count from 0; a GICv2's interface is there")
  void oldGicc() throws IOException {
    MachineDescription m =
        read(gicc(gicc(gicd(new Bytes(), 2), 40, 0, ENABLED, 0, 0), 40, 1, ENABLED, 0, 0));
    assertEquals(List.of(), odd(m));
    assertEquals(List.of(0L, 1L), gic(m).cpus().stream().map(GicDescription.Cpu::mpidr).toList());
    assertEquals(Optional.of(AddressRange.ofSize(GICC_BASE, 0x2000)), gic(m).cpuInterface());
    assertEquals(AddressRange.ofSize(GICD_BASE, 0x1000), gic(m).distributor());
  }

  @ParameterizedTest(name = "{0} bytes: {1}")
  @CsvSource({
    "41, too short for an MPIDR",
    "75, too short for an MPIDR",
    "39, GICC structure of length 39; less than 40"
  })
  @DisplayName("GICC of a length between those of two revisions is told, and what follows is read")
  void shortGicc(int length, String told) throws IOException {
    Bytes b = gicc(gicd(new Bytes(), 2), 40, 0, ENABLED, 0, 0);
    int at = b.position();
    b.u8(0x0b, length).u16(0).u32(1, 1, ENABLED);
    while (b.position() < at + length) {
      b.u8(0);
    }
    MachineDescription m = read(its(b, 3, 0x3000_0000L));
    assertEquals(1, m.msiControllers().size());
    assertEquals(1, odd(m).size(), odd(m)::toString);
    assertTrue(odd(m).getFirst().contains(told.replace(';', ',')), odd(m)::toString);
    assertEquals(44 + at, m.oddities().getFirst().source().offset());
  }

  @Test
  @DisplayName(
      "only CPUs that are enabled or can be brought online count, and only their redistributors")
  void usable() throws IOException {
    Bytes b = gicd(new Bytes(), 3);
    gicc(b, 80, 0, ENABLED, 0x2f10_0000L, 0);
    gicc(b, 80, 1, 0, 0x2f12_0000L, 1);
    gicc(b, 80, 2, ONLINE_CAPABLE, 0x2f14_0000L, 2);
    gicc(b, 80, 3, ENABLED, 0, 3);
    MachineDescription m = read(b);
    assertEquals(
        List.of(0L, 2L, 3L), gic(m).cpus().stream().map(GicDescription.Cpu::mpidr).toList());
    assertEquals(
        List.of(0x2f10_0000L, 0x2f14_0000L),
        gic(m).redistributors().stream().map(AddressRange::start).toList());
  }

  @Test
  @DisplayName("GICR structures tell the redistributors with their lengths, whatever GICCs say")
  void gicr() throws IOException {
    Bytes b = gicc(gicd(new Bytes(), 3), 80, 0, ENABLED, 0x2f10_0000L, 0);
    b.u8(0x0e, 16).u16(0).u64(0x3000_0000L).u32(0x20_0000);
    b.u8(0x0e, 16).u16(0).u64(0x4_0000_0000L).u32(0x4_0000);
    assertEquals(
        List.of(
            AddressRange.ofSize(0x3000_0000L, 0x20_0000),
            AddressRange.ofSize(0x4_0000_0000L, 0x4_0000)),
        gic(read(b)).redistributors());
  }

  @ParameterizedTest(name = "GICD version {0}, redistributors {1}: {2}")
  @CsvSource({"0, true, 3", "0, false, 0", "2, false, 2", "3, true, 3", "4, true, 4"})
  @DisplayName(
      "GICD before ACPI 5.1 says no version: redistributors tell a GICv3; a GICv4 has larger ones")
  void version(int stated, boolean redistributors, int version) throws IOException {
    MachineDescription m =
        read(gicc(gicd(new Bytes(), stated), 76, 0, ENABLED, redistributors ? 0x2f10_0000L : 0, 0));
    assertEquals(version, gic(m).version());
    assertEquals(version >= 3 ? 0x1_0000 : 0x1000, gic(m).distributor().bytes());
    assertEquals(
        redistributors ? List.of(version == 4 ? 0x4_0000L : 0x2_0000L) : List.of(),
        gic(m).redistributors().stream().map(AddressRange::bytes).toList());
  }

  private static Bytes its(Bytes b, int id, long base) {
    return b.u8(0x0f, 20).u16(0).u32(id).u64(base).u32(0);
  }

  private static Bytes frame(Bytes b, long base, long select, int count, int first) {
    return b.u8(0x0d, 24).u16(0).u32(7).u64(base).u32(select).u16(count, first);
  }

  @Test
  @DisplayName("MSI frame: SPI count and base count only when the flag selects them over MSI_TYPER")
  void frames() throws IOException {
    Bytes b = gicc(gicd(new Bytes(), 2), 76, 0, ENABLED, 0, 0);
    frame(frame(b, 0x2c1c_0000L, 1, 32, 224), 0x2c1d_0000L, 0, 32, 224);
    MachineDescription m = read(b);
    assertEquals(List.of(), odd(m));
    MsiControllerDescription.GicV2m told =
        (MsiControllerDescription.GicV2m) m.msiControllers().get(0);
    assertEquals(OptionalInt.of(32), told.spiCount());
    assertEquals(OptionalInt.of(224), told.spiBase());
    assertEquals(AddressRange.ofSize(0x2c1c_0000L, 0x1000), told.window());
    MsiControllerDescription.GicV2m read =
        (MsiControllerDescription.GicV2m) m.msiControllers().get(1);
    assertEquals(OptionalInt.empty(), read.spiCount());
    assertEquals(OptionalInt.empty(), read.spiBase());
  }

  @Test
  @DisplayName("GIC ITS: the id is the table's; of two with one id mappings lead to the first")
  void sameId() throws IOException {
    Bytes b = its(its(its(new Bytes(), 9, 0x3000_0000L), 9, 0x3100_0000L), 4, 0x3200_0000L);
    MachineDescription m = read(b);
    assertEquals(
        List.of(9, 9, 4),
        m.msiControllers().stream().map(c -> ((MsiControllerDescription.Its) c).itsId()).toList());
    assertEquals(List.of("a second ITS has id 9; mappings to that id lead to the first"), odd(m));
  }

  @Test
  @DisplayName(
      "a length below 2 ends the reading; a structure of the last byte and one past the end are told with their place")
  void ends() throws IOException {
    for (int length : new int[] {0, 1}) {
      MachineDescription m = read(its(its(new Bytes(), 0, 0x3000_0000L).u8(0x0f, length), 1, 0));
      assertEquals(1, m.msiControllers().size());
      assertEquals(44 + 20, m.oddities().getFirst().source().offset());
      assertTrue(odd(m).getFirst().contains("states length " + length), odd(m)::toString);
    }
    MachineDescription cut = read(its(new Bytes(), 0, 0x3000_0000L).u8(0x0f));
    assertEquals(List.of("a structure header is cut off at the table's end"), odd(cut));
    MachineDescription past = read(its(new Bytes(), 0, 0x3000_0000L).u8(0x0f, 20).u16(0));
    assertEquals(
        List.of("structure of type 0Fh and length 20 runs past the table's end"), odd(past));
    assertEquals(1, past.msiControllers().size());
  }

  @Test
  @DisplayName("GICCs without a GICD, and several GICDs")
  void distributors() throws IOException {
    assertEquals(
        List.of("there are GICC structures and no GICD"),
        odd(read(gicc(new Bytes(), 76, 0, ENABLED, 0, 0))));
    Bytes b = gicd(new Bytes(), 3);
    b.u8(0x0c, 24).u16(0).u32(1).u64(0x5000_0000L).u32(0).u8(3, 0, 0, 0);
    MachineDescription m = read(b);
    assertEquals(GICD_BASE, gic(m).distributor().start());
    assertEquals(List.of("2 GICD structures; the first counts"), odd(m));
  }
}
