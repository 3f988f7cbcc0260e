package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("ACPI 5.2.32 VIOT: every kind of node, ranges over segments, offsets that lie")
class ViotRulesTest {
  private static final int FIRST = 48;

  @TempDir Path folder;

  private static Bytes table(int nodes, int first) {
    return new Bytes().u16(nodes, first).u64(0);
  }

  private static Bytes overMmio(Bytes b, long base) {
    return b.u8(4, 0).u16(16).u32(0).u64(base);
  }

  private static Bytes overPci(Bytes b, int segment, int rid) {
    return b.u8(3, 0).u16(16, segment, rid).u64(0);
  }

  private static Bytes range(Bytes b, long endpoint, int[] segments, int[] rids, int output) {
    b.u8(1, 0).u16(24).u32(endpoint).u16(segments[0], segments[1], rids[0], rids[1], output);
    return b.u16(0, 0, 0);
  }

  private static Bytes mmioEndpoint(Bytes b, long endpoint, long base, int output) {
    return b.u8(2, 0).u16(24).u32(endpoint).u64(base).u16(output, 0, 0, 0);
  }

  private MachineDescription read(Bytes viot) throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Files.write(tables.resolve("VIOT"), Bytes.table("VIOT", 0, viot));
    Bytes mcfg = new Bytes().u64(0);
    for (int segment = 0; segment < 4; segment++) {
      mcfg.u64(0x40_0000_0000L + segment * 0x1000_0000L).u16(segment).u8(0, 255).u32(0);
    }
    Files.write(tables.resolve("MCFG"), Bytes.table("MCFG", 1, mcfg));
    return Firmware.read(Sysroot.open(folder));
  }

  private static OptionalInt endpoint(MachineDescription m, int segment, int rid) {
    HostBridge bridge =
        m.hostBridges().stream().filter(b -> b.segment() == segment).findFirst().orElseThrow();
    return bridge.streams().stream()
        .map(s -> s.streamOf(rid))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  private static void tells(MachineDescription m, String part) {
    assertTrue(
        m.oddities().stream().anyMatch(o -> o.message().contains(part)),
        () -> part + " is not in " + m.oddities());
  }

  @Test
  @DisplayName("a virtio-iommu over MMIO is one at its registers, and is no PCI function")
  void overMmio() throws IOException {
    MachineDescription m = read(overMmio(table(1, FIRST), 0x1001_3000L));
    IommuDescription.VirtioIommu v = (IommuDescription.VirtioIommu) m.iommus().getFirst();
    assertEquals("virtio-iommu@0x10013000", v.id());
    assertEquals(Optional.of(AddressRange.ofSize(0x1001_3000L, 0x200)), v.registers());
    assertEquals(Optional.empty(), v.function());
    assertEquals(FIRST, v.source().offset());
    assertEquals(List.of(), m.oddities());
  }

  @Test
  @DisplayName(
      "a PCI range over several segments: 65,536 endpoint ids a segment, from the first one on")
  void segments() throws IOException {
    Bytes b = overMmio(table(2, FIRST), 0x1001_3000L);
    MachineDescription m = read(range(b, 0x500, new int[] {1, 3}, new int[] {0x100, 0x1ff}, FIRST));
    for (int segment = 1; segment <= 3; segment++) {
      int first = 0x500 + (segment - 1) * 0x10000;
      assertEquals(OptionalInt.of(first), endpoint(m, segment, 0x100));
      assertEquals(OptionalInt.of(first + 0xff), endpoint(m, segment, 0x1ff));
      assertEquals(OptionalInt.empty(), endpoint(m, segment, 0xff));
      assertEquals(OptionalInt.empty(), endpoint(m, segment, 0x200));
    }
    assertEquals(OptionalInt.empty(), endpoint(m, 0, 0x100));
    assertEquals(List.of(), m.oddities());
  }

  @Test
  @DisplayName("a virtio-iommu that is a function in the range is not behind itself")
  void itself() throws IOException {
    Bytes b = overPci(table(2, FIRST), 0, 0x08);
    MachineDescription m = read(range(b, 0, new int[] {0, 1}, new int[] {0, 0xffff}, FIRST));
    assertEquals("virtio-iommu@0000:00:01.0", m.iommus().getFirst().id());
    assertEquals(OptionalInt.of(7), endpoint(m, 0, 7));
    assertEquals(OptionalInt.empty(), endpoint(m, 0, 8));
    assertEquals(OptionalInt.of(9), endpoint(m, 0, 9));
    assertEquals(OptionalInt.of(0x10008), endpoint(m, 1, 8));
    assertEquals(OptionalInt.empty(), endpoint(m, 2, 8), "the range ends with segment 1");
  }

  @Test
  @DisplayName(
      "two virtio-iommus, the ranges before the nodes that they lead to; of two ranges the earlier counts")
  void order() throws IOException {
    int iommus = FIRST + 3 * 24;
    Bytes b = table(5, FIRST);
    range(b, 0x100, new int[] {0, 0}, new int[] {0, 0xff}, iommus);
    range(b, 0x900, new int[] {0, 0}, new int[] {0x80, 0x1ff}, iommus + 16);
    mmioEndpoint(b, 0xffff, 0x9000_0000L, iommus);
    MachineDescription m = read(overMmio(overMmio(b, 0x1000_0000L), 0x1000_1000L));
    assertEquals(2, m.iommus().size());
    assertEquals(OptionalInt.of(0x1ff), endpoint(m, 0, 0xff));
    assertEquals(OptionalInt.of(0x980), endpoint(m, 0, 0x100));
    assertEquals(
        List.of("virtio-iommu@0x10000000", "virtio-iommu@0x10001000"),
        m.hostBridges().getFirst().streams().stream().map(s -> s.iommu()).toList());
    assertEquals(List.of(), m.oddities());
  }

  @Test
  @DisplayName("endpoints that are no PCI functions keep their id, registers and virtio-iommu")
  void mmioEndpoints() throws IOException {
    Bytes b = overMmio(table(3, FIRST), 0x1001_3000L);
    mmioEndpoint(b, 0xfeed, 0x9001_0000L, FIRST);
    mmioEndpoint(b, 0xbeef, 0x9002_0000L, FIRST + 16);
    byte[] bytes = Bytes.table("VIOT", 0, b);
    Findings findings = new Findings();
    AcpiTable table = AcpiTable.read(Blob.of("VIOT", bytes), "VIOT", findings).orElseThrow();
    Viot viot = Viot.read(table, findings);
    assertEquals(1, viot.endpoints().size());
    Viot.MmioEndpoint e = viot.endpoints().getFirst();
    assertEquals(0xfeed, e.endpoint());
    assertEquals(0x9001_0000L, e.base());
    assertEquals(FIRST, e.output());
    assertEquals(
        "MMIO endpoint leads to offset 0x40, where no virtio-iommu is",
        findings.oddities().getFirst().message());
  }

  @ParameterizedTest(name = "to 0x{0}")
  @CsvSource({"0", "24", "2f", "31", "40", "58", "ffff"})
  @DisplayName("a range to where no virtio-iommu begins is left out, with the offset that lies")
  void outputs(String output) throws IOException {
    Bytes b = overMmio(table(2, FIRST), 0x1001_3000L);
    int to = Integer.parseInt(output, 16);
    MachineDescription m = read(range(b, 0, new int[] {0, 0}, new int[] {0, 9}, to));
    tells(m, "PCI range leads to offset 0x%x, where no virtio-iommu is".formatted(to));
    assertEquals(OptionalInt.empty(), endpoint(m, 0, 0));
    assertEquals(1, m.iommus().size());
  }

  @ParameterizedTest(name = "at 0x{0}")
  @CsvSource({"0", "24", "28", "2f", "41", "ffff"})
  @DisplayName("nodes that would begin inside the header, or outside the table, are not read")
  void firstNode(String offset) throws IOException {
    int at = Integer.parseInt(offset, 16);
    MachineDescription m = read(overMmio(table(1, at), 0x1001_3000L));
    tells(m, "node 0 at 0x%x lies outside the table".formatted(at));
    assertEquals(List.of(), m.iommus());
  }

  @ParameterizedTest(name = "{0} bytes")
  @CsvSource({"0", "3", "8", "15", "17", "65535"})
  @DisplayName("a node of a length that cannot be: what was read before it stays")
  void lengths(int length) throws IOException {
    Bytes b = overMmio(table(2, FIRST), 0x1001_3000L);
    b.u8(4, 0).u16(length).u32(0).u64(0x1001_4000L);
    MachineDescription m = read(b);
    assertEquals(List.of("virtio-iommu@0x10013000"), m.iommus().stream().map(i -> i.id()).toList());
    assertEquals(1, m.oddities().size(), m.oddities()::toString);
  }

  @Test
  @DisplayName(
      "a longer node of a later revision is read as far as it is known, an unknown one passed over")
  void later() throws IOException {
    Bytes b = table(3, FIRST).u8(77, 0).u16(12).u64(-1);
    b.u8(4, 0).u16(24).u32(0).u64(0x1001_3000L, -1);
    MachineDescription m = read(range(b, 0, new int[] {0, 0}, new int[] {0, 9}, FIRST + 12));
    assertEquals(OptionalInt.of(3), endpoint(m, 0, 3));
    tells(m, "1 nodes of unknown type 77");
  }

  @Test
  @DisplayName(
      "ranges that end before they begin, or whose endpoint ids pass 32 bits, are left out")
  void ranges() throws IOException {
    Bytes b = overMmio(table(4, FIRST), 0x1001_3000L);
    range(b, 0, new int[] {1, 0}, new int[] {0, 9}, FIRST);
    range(b, 0, new int[] {0, 0}, new int[] {9, 8}, FIRST);
    range(b, 0xffff_0000L, new int[] {0, 1}, new int[] {0, 9}, FIRST);
    MachineDescription m = read(b);
    assertEquals(
        2, m.oddities().stream().filter(o -> o.message().contains("before it begins")).count());
    tells(m, "PCI range's endpoint ids 0xffff0000 to 0x100000009 pass 32 bits");
    for (int segment = 0; segment < 2; segment++) {
      assertEquals(OptionalInt.empty(), endpoint(m, segment, 0));
    }
  }

  @Test
  @DisplayName("the last endpoint id of 32 bits is one")
  void lastEndpoint() throws IOException {
    Bytes b = overMmio(table(2, FIRST), 0x1001_3000L);
    MachineDescription m = read(range(b, 0xffff_fff6L, new int[] {0, 0}, new int[] {0, 9}, FIRST));
    assertEquals(OptionalInt.of(-1), endpoint(m, 0, 9));
    assertEquals(List.of(), m.oddities());
  }
}
