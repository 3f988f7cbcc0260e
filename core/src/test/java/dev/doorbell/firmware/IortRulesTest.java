package dev.doorbell.firmware;

import static dev.doorbell.firmware.IortBytes.AFTER;
import static dev.doorbell.firmware.IortBytes.SMMU;
import static dev.doorbell.firmware.IortBytes.rootComplex;
import static dev.doorbell.firmware.IortBytes.table;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.iommu.ReservedRegion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("DEN 0049 IORT: id mappings, RMR nodes, revisions")
class IortRulesTest {
  @TempDir Path folder;

  private MachineDescription read(Bytes body) throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Files.write(tables.resolve("IORT"), Bytes.table("IORT", 5, body));
    return Firmware.read(Sysroot.open(folder));
  }

  private static OptionalInt stream(MachineDescription m, int rid) {
    List<HostBridge> bridges = m.hostBridges();
    assertEquals(1, bridges.size());
    return bridges.getFirst().streams().stream()
        .map(s -> s.streamOf(rid))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  @Test
  @DisplayName("what decides a root complex's ids and widths is its node, and that is its source")
  void source() throws IOException {
    MachineDescription m = read(rootComplex(table(2), 1, 0, new long[] {0x10, 0, 0x500, SMMU, 0}));
    String source = m.hostBridges().getFirst().source().toString();
    assertTrue(source.contains("IORT+0x"), source);
  }

  @Test
  @DisplayName("count 0 without the flag is one id")
  void countZero() throws IOException {
    MachineDescription m = read(rootComplex(table(2), 1, 0, new long[] {0x10, 0, 0x500, SMMU, 0}));
    assertEquals(OptionalInt.of(0x500), stream(m, 0x10));
    assertEquals(OptionalInt.empty(), stream(m, 0x11));
  }

  @Test
  @DisplayName("the single-mapping flag gives every id the one output")
  void singleMapping() throws IOException {
    MachineDescription m = read(rootComplex(table(2), 1, 0, new long[] {0, 0, 0x77, SMMU, 1}));
    assertEquals(OptionalInt.of(0x77), stream(m, 0));
    assertEquals(OptionalInt.of(0x77), stream(m, 0x1234));
  }

  @Test
  @DisplayName("off by one: the last id of a mapping yields to one that begins there")
  void offByOne() throws IOException {
    MachineDescription m =
        read(
            rootComplex(
                table(2),
                1,
                0,
                new long[] {0, 0x100, 0, SMMU, 0},
                new long[] {0x100, 0x100, 0x4000, SMMU, 0}));
    assertEquals(OptionalInt.of(0xff), stream(m, 0xff));
    assertEquals(OptionalInt.of(0x4000), stream(m, 0x100));
    assertEquals(OptionalInt.of(0x4100), stream(m, 0x200));
    assertTrue(
        m.oddities().stream().anyMatch(o -> o.message().contains("id 0x100 is mapped twice")));
  }

  @Test
  @DisplayName("ids mapped twice: the earlier mapping counts, the table's order being kept")
  void mappedTwice() throws IOException {
    MachineDescription m =
        read(
            rootComplex(
                table(2),
                1,
                0,
                new long[] {0x100, 0xff, 0x1000, SMMU, 0},
                new long[] {0x80, 0x1ff, 0x2000, SMMU, 0}));
    assertEquals(OptionalInt.of(0x2000), stream(m, 0x80));
    assertEquals(OptionalInt.of(0x1000), stream(m, 0x100));
    assertEquals(OptionalInt.of(0x10ff), stream(m, 0x1ff));
    assertEquals(OptionalInt.of(0x2180), stream(m, 0x200));
    assertTrue(
        m.oddities().stream()
            .anyMatch(o -> o.message().contains("0x100 to 0x1ff are mapped twice")));
  }

  @Test
  @DisplayName("the memory address size limit came with root complex revision 1")
  void addressLimit() throws IOException {
    assertEquals(
        OptionalInt.of(40), read(rootComplex(table(2), 1, 40)).hostBridges().getFirst().dmaBits());
    assertEquals(
        OptionalInt.empty(), read(rootComplex(table(2), 0, 40)).hostBridges().getFirst().dmaBits());
  }

  @Test
  @DisplayName(
      "an SMMUv3's own mapping, in force unless all four interrupts are wired, is none of its devices'")
  void ownMapping() throws IOException {
    long[] toGroup = {0, 0xffff, 0, AFTER, 0};
    for (boolean wired : new boolean[] {true, false}) {
      Bytes b = table(3, 1, new long[] {wired ? 74 : 0, 75, 77, 76}, toGroup);
      b.u8(0).u16(24).u8(1).u32(0, 0, 0).u32(1, 0);
      MachineDescription m = readWithIts(rootComplex(b, 1, 0, new long[] {0, 0xffff, 0, SMMU, 0}));
      assertEquals(wired ? 1 : 0, m.hostBridges().getFirst().msis().size());
      assertEquals(1, m.hostBridges().getFirst().streams().size());
    }
  }

  /// {@return an SMMUv3 of a revision with two mappings to an ITS group, of which one may be its own}
  private static Bytes ownAmong(int revision, long flags, long index, boolean wired) {
    int group = SMMU + 68 + 40;
    Bytes b = new Bytes().u32(3, SMMU).u32(0);
    b.u8(4).u16(68 + 40).u8(revision).u32(0, 2, 68);
    b.u64(0x2b400000L).u32(flags, 0).u64(0).u32(0);
    b.u32(wired ? 74 : 0, 75, 77, 76).u32(0, index);
    b.u32(0, 0xff, 0x1000, group, 0).u32(0x100, 0xff, 0x2000, group, 0);
    b.u8(0).u16(24).u8(1).u32(0, 0, 0).u32(1, 0);
    return rootComplex(b, 1, 0, new long[] {0, 0x1ff, 0, SMMU, 0});
  }

  private static OptionalInt deviceId(MachineDescription m, int rid) {
    return m.hostBridges().getFirst().msis().stream()
        .map(s -> s.deviceIdOf(rid))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  @ParameterizedTest(name = "revision {0}, flags {1}, index {2}, wired {3}: first {4}, second {5}")
  @CsvSource({
    // Up to revision 4 the wired interrupts decide, and the flag means nothing.
    "1, 0, 0, false, -, 0x2000",
    "4, 0, 1, false, 0x1000, -",
    "4, 0, 1, true, 0x1000, 0x2000",
    "4, 16, 1, true, 0x1000, 0x2000",
    // From revision 5 on the flag decides, and the interrupts mean nothing.
    "5, 16, 0, true, -, 0x2000",
    "5, 16, 1, true, 0x1000, -",
    "5, 16, 1, false, 0x1000, -",
    "5, 0, 1, false, 0x1000, 0x2000",
    "5, 15, 0, false, 0x1000, 0x2000",
    // Revision 0 has no such mapping.
    "0, 16, 0, false, 0x1000, 0x2000"
  })
  @DisplayName("SMMUv3 nodes of revision 0 to 5: which mapping is the SMMU's own")
  void ownMappingByRevision(
      int revision, long flags, long index, boolean wired, String first, String second)
      throws IOException {
    MachineDescription m = readWithIts(ownAmong(revision, flags, index, wired));
    assertEquals(expected(first), deviceId(m, 0));
    assertEquals(expected(second), deviceId(m, 0x100));
    assertEquals(List.of(), m.oddities());
  }

  private static OptionalInt expected(String id) {
    return id.equals("-") ? OptionalInt.empty() : OptionalInt.of(Integer.decode(id));
  }

  @ParameterizedTest(name = "index {0}")
  @ValueSource(longs = {2, 0x7fff_ffffL, 0xffff_ffffL})
  @DisplayName(
      "an own mapping that is none: told with its number, and all mappings are the devices'")
  void ownMappingBad(long index) throws IOException {
    MachineDescription m = readWithIts(ownAmong(5, 16, index, false));
    assertEquals(OptionalInt.of(0x1000), deviceId(m, 0));
    assertEquals(OptionalInt.of(0x2000), deviceId(m, 0x100));
    assertEquals(
        List.of("SMMUv3's own mapping %d is none of its 2".formatted(index)),
        m.oddities().stream().map(o -> o.message()).toList());
    assertEquals(SMMU + 64, m.oddities().getFirst().source().offset());
  }

  private static List<String> odd(MachineDescription m) {
    return m.oddities().stream().map(o -> o.message()).toList();
  }

  @Test
  @DisplayName(
      "off by one: a mapping whose last id an earlier one begins with is told as one shorter")
  void offByOneBefore() throws IOException {
    MachineDescription m =
        read(
            rootComplex(
                table(2),
                1,
                0,
                new long[] {0x100, 0xff, 0x1000, SMMU, 0},
                new long[] {0, 0x100, 0x2000, SMMU, 0}));
    assertEquals(OptionalInt.of(0x1000), stream(m, 0x100));
    assertEquals(OptionalInt.of(0x20ff), stream(m, 0xff));
    assertEquals(
        List.of("id 0x100 is mapped twice: this mapping is read as one id shorter"), odd(m));
  }

  @Test
  @DisplayName("of two ITSes with one id an ITS group means the first")
  void sameItsId() throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Bytes madt = new Bytes().u32(0, 0);
    for (long base : new long[] {0x8080000, 0x9080000}) {
      madt.u8(0x0f, 20).u16(0).u32(1).u64(base).u32(0);
    }
    Files.write(tables.resolve("APIC"), Bytes.table("APIC", 4, madt));
    Bytes b = table(3);
    b.u8(0).u16(24).u8(1).u32(0, 0, 0).u32(1, 1);
    MachineDescription m = read(rootComplex(b, 1, 0, new long[] {0, 0xffff, 0, AFTER, 0}));
    assertEquals(
        List.of("its@0x8080000"), m.hostBridges().getFirst().msis().getFirst().controllers());
  }

  @Test
  @DisplayName(
      "an ITS group of several: all of them, in the table's order, those that are described")
  void groupOfSeveral() throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Bytes madt = new Bytes().u32(0, 0);
    for (int id : new int[] {1, 2}) {
      madt.u8(0x0f, 20).u16(0).u32(id).u64(0x8000_0000L + 0x10_0000L * id).u32(0);
    }
    Files.write(tables.resolve("APIC"), Bytes.table("APIC", 4, madt));
    Bytes b = table(3);
    b.u8(0).u16(32).u8(1).u32(0, 0, 0).u32(3, 2, 7, 1);
    MachineDescription m = read(rootComplex(b, 1, 0, new long[] {0, 0xffff, 0x100, AFTER, 0}));
    HostBridge.MsiMapping to = m.hostBridges().getFirst().msis().getFirst();
    assertEquals(List.of("its@0x80200000", "its@0x80100000"), to.controllers());
    assertEquals(OptionalInt.of(0x105), to.deviceIdOf(5));
    assertEquals(
        List.of("the ITS group names ITS 7, which the MADT does not describe"),
        m.oddities().stream().map(o -> o.message()).toList());
  }

  @ParameterizedTest(name = "OEM {0}/{1}, revision {2}: the count is the number of ids: {3}")
  @CsvSource({
    "'HISI  ', 'HIP07   ', 0, true",
    "'HISI  ', 'HIP08   ', 0, true",
    "'HISI  ', 'HIP07   ', 1, false",
    "'HISI  ', 'HIP09   ', 0, false",
    "'HISI_ ', 'HIP07   ', 0, false"
  })
  @DisplayName(
      "boards known to state the number of ids: Linux wa_info; a count of 0 is still one id")
  void countIsNumber(String oem, String table, int revision, boolean number) throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    byte[] iort =
        Bytes.table(
            "IORT",
            0,
            rootComplex(
                table(2),
                1,
                0,
                new long[] {0, 0x10, 0x100, SMMU, 0},
                new long[] {0x80, 0, 0x500, SMMU, 0}));
    System.arraycopy(oem.getBytes(StandardCharsets.US_ASCII), 0, iort, 10, 6);
    System.arraycopy(table.getBytes(StandardCharsets.US_ASCII), 0, iort, 16, 8);
    iort[24] = (byte) revision;
    Files.write(tables.resolve("IORT"), iort);
    MachineDescription m = Firmware.read(Sysroot.open(folder));
    assertEquals(OptionalInt.of(0x10f), stream(m, 0xf));
    assertEquals(number ? OptionalInt.empty() : OptionalInt.of(0x110), stream(m, 0x10));
    assertEquals(OptionalInt.of(0x500), stream(m, 0x80));
  }

  private MachineDescription readWithIts(Bytes body) throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Bytes madt = new Bytes().u32(0, 0).u8(0x0f, 20).u16(0).u32(0).u64(0x8080000).u32(0);
    Files.write(tables.resolve("APIC"), Bytes.table("APIC", 4, madt));
    return read(body);
  }

  @Test
  @DisplayName(
      "RMR: direct, or direct-relaxable when remapping is permitted, for the StreamIDs it is mapped to")
  void reservedMemory() throws IOException {
    for (boolean relaxable : new boolean[] {false, true}) {
      Bytes b = table(2);
      b.u8(6).u16(28 + 20 + 20 + 20).u8(3).u32(0, 1, 68);
      b.u32(relaxable ? 1 : 0, 2, 28);
      b.u64(0x9000_0000L, 0x1_0000).u32(0).u64(0xa000_0000L, 0x1000).u32(0);
      b.u32(0, 3, 0x400, SMMU, 0);
      MachineDescription m = read(b);
      assertEquals(2, m.reserved().size());
      MachineDescription.Reservation r = m.reserved().getFirst();
      assertEquals(AddressRange.ofSize(0x9000_0000L, 0x1_0000), r.region().range());
      assertEquals(
          relaxable ? ReservedRegion.Kind.DIRECT_RELAXABLE : ReservedRegion.Kind.DIRECT,
          r.region().kind());
      assertEquals(Optional.of("smmuv3@0x2b400000"), r.iommu());
      assertEquals(List.of(new MachineDescription.StreamRange(0x400, 0x403)), r.streamIds());
      assertEquals(
          List.of("RMR [0xa0000000, 0xa0000fff] is not whole pages of 64 KiB"),
          m.oddities().stream().map(o -> o.message()).toList());
    }
  }

  @Test
  @DisplayName(
      "RMR: of its mappings the StreamIDs alone count, whatever inputs they state and whether they are single")
  void reservedMemoryHasNoIds() throws IOException {
    Bytes b = table(2);
    b.u8(6).u16(28 + 20 + 3 * 20).u8(3).u32(0, 3, 48);
    b.u32(0, 1, 28);
    b.u64(0x800_0000L, 0x1_0000).u32(0);
    b.u32(0, 0, 0x8100, SMMU, 1);
    b.u32(0, 1, 0x8200, SMMU, 0);
    b.u32(0, 0, 0xffff_ffff, SMMU, 0);
    MachineDescription m = read(b);
    MachineDescription.Reservation r = m.reserved().getFirst();
    assertEquals(
        List.of(
            new MachineDescription.StreamRange(0x8100, 0x8100),
            new MachineDescription.StreamRange(0x8200, 0x8201),
            new MachineDescription.StreamRange(0xffff_ffff, 0xffff_ffff)),
        r.streamIds());
    assertEquals(List.of(), m.oddities());
  }

  @Test
  @DisplayName("input ids that pass 32 bits are an oddity, and those before them are mapped")
  void inputPast32Bits() throws IOException {
    MachineDescription m =
        read(rootComplex(table(2), 1, 0, new long[] {0x10, 0xffff_ffffL, 0x500, SMMU, 0}));
    assertTrue(
        m.oddities().stream()
            .anyMatch(o -> o.message().contains("input ids from 0x10 on pass 32 bits")),
        m.oddities()::toString);
  }

  @Test
  @DisplayName("unknown node types and short nodes are passed over, what follows is read")
  void passedOver() throws IOException {
    Bytes b = table(4);
    b.u8(99).u16(20).u8(0).u32(0, 0, 0).u32(0);
    b.u8(4).u16(24).u8(0).u32(0, 0, 0).u64(0);
    MachineDescription m = read(rootComplex(b, 1, 0, new long[] {0, 0xffff, 0, SMMU, 0}));
    assertEquals(OptionalInt.of(5), stream(m, 5));
    List<String> odd = m.oddities().stream().map(o -> o.message()).toList();
    assertTrue(odd.stream().anyMatch(o -> o.contains("unknown type 99")), odd.toString());
    assertTrue(odd.stream().anyMatch(o -> o.contains("SMMUv3 node of 24 bytes")), odd.toString());
  }
}
