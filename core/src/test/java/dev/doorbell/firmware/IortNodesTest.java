package dev.doorbell.firmware;

import static dev.doorbell.firmware.IortBytes.AFTER;
import static dev.doorbell.firmware.IortBytes.SMMU;
import static dev.doorbell.firmware.IortBytes.rootComplex;
import static dev.doorbell.firmware.IortBytes.table;
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
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("DEN 0049 IORT: node types, damage, and what lies outside")
class IortNodesTest {
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

  private MachineDescription readWithIts(Bytes body) throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Bytes madt = new Bytes().u32(0, 0).u8(0x0f, 20).u16(0).u32(0).u64(0x8080000).u32(0);
    Files.write(tables.resolve("APIC"), Bytes.table("APIC", 4, madt));
    return read(body);
  }

  private static List<String> odd(MachineDescription m) {
    return m.oddities().stream().map(o -> o.message()).toList();
  }

  @Test
  @DisplayName(
      "the single-mapping flag is for root complexes and named components: an SMMU's is passed over")
  void singleMappingOfSmmu() throws IOException {
    Bytes b = table(3, 1, new long[] {74, 75, 77, 76}, new long[] {0, 0, 0x9, AFTER, 1});
    b.u8(0).u16(24).u8(1).u32(0, 0, 0).u32(1, 0);
    MachineDescription m = readWithIts(rootComplex(b, 1, 0, new long[] {0, 0xffff, 0, SMMU, 0}));
    assertEquals(List.of(), m.hostBridges().getFirst().msis());
    assertEquals(
        List.of(
            "single-mapping flag on a node of type 4, which maps ids; the mapping is passed over"),
        odd(m));
  }

  @Test
  @DisplayName(
      "outputs that pass 32 bits, and a mapping to where no node is: nothing is mapped, and facts may be hidden")
  void leadsNowhere() throws IOException {
    for (long[] mapping :
        new long[][] {{0, 0xff, 0xffff_ff80L, SMMU, 0}, {0, 0xff, 0, SMMU + 4, 0}}) {
      MachineDescription m = read(rootComplex(table(2), 1, 0, mapping));
      assertEquals(List.of(), m.hostBridges().getFirst().streams());
      assertEquals(
          mapping[3] == SMMU
              ? "id mapping leads past 32 bits"
              : "id mapping leads to offset 0x34, where no node is",
          m.oddities().getFirst().message());
      assertTrue(m.oddities().getFirst().mayHideFacts());
      assertEquals(AFTER + 36, m.oddities().getFirst().source().offset());
    }
  }

  @Test
  @DisplayName("a root complex of revision 1 that ends before the address limit has none")
  void shortRootComplex() throws IOException {
    Bytes b = table(3);
    b.u8(2).u16(32).u8(1).u32(0, 0, 0).u64(1).u32(1, 5);
    // Its first byte lies where a limit would be.
    b.u8(40).u16(20).u8(0).u32(0, 0, 0).u32(0);
    HostBridge bridge = readWithIts(b).hostBridges().getFirst();
    assertEquals(5, bridge.segment());
    assertEquals(OptionalInt.empty(), bridge.dmaBits());
  }

  @Test
  @DisplayName("an address limit of 0 or of 64 bits and more says nothing")
  void limits() throws IOException {
    for (int bits : new int[] {0, 64, 255}) {
      assertEquals(
          OptionalInt.empty(),
          read(rootComplex(table(2), 1, bits)).hostBridges().getFirst().dmaBits());
    }
    assertEquals(
        OptionalInt.of(63), read(rootComplex(table(2), 1, 63)).hostBridges().getFirst().dmaBits());
  }

  @Test
  @DisplayName(
      "a segment above 16 bits is none; of two root complexes of one segment the first counts")
  void segments() throws IOException {
    Bytes b = table(4);
    b.u8(2).u16(36).u8(1).u32(0, 0, 0).u64(1).u32(1, 0x1_0000).u32(0);
    rootComplex(b, 1, 0, new long[] {0, 0xff, 0x100, SMMU, 0});
    MachineDescription m = read(rootComplex(b, 1, 0, new long[] {0, 0xff, 0x900, SMMU, 0}));
    assertEquals(OptionalInt.of(0x105), stream(m, 5));
    assertEquals(
        List.of(
            "root complex of segment 0x10000",
            "segment 0 has a second root complex; the first counts, as it does for Linux"),
        odd(m));
  }

  @Test
  @DisplayName("nodes that map to one another end with an oddity")
  void circle() throws IOException {
    Bytes b = table(2, 1, new long[] {74, 75, 77, 76}, new long[] {0, 0xffff, 0, SMMU, 0});
    MachineDescription m = read(rootComplex(b, 1, 0, new long[] {0, 0xffff, 0, SMMU, 0}));
    assertEquals(List.of("id mappings lead through more than 8 nodes, or in a circle"), odd(m));
    assertEquals(OptionalInt.of(7), stream(m, 7));
  }

  @Test
  @DisplayName(
      "coherency: SMMUv3's COHACC override and SMMUv2's coherent walks are bits of their flags")
  void coherency() throws IOException {
    for (int flags : new int[] {0, 1, 2, 3}) {
      Bytes b = new Bytes().u32(2, SMMU).u32(0);
      b.u8(4).u16(68).u8(1).u32(0, 0, 0).u64(0x2b40_0000L).u32(flags, 0).u64(0).u32(0);
      b.u32(0, 0, 0, 0).u32(0, 0);
      b.u8(3).u16(76).u8(1).u32(0, 0, 0).u64(0x2c00_0000L, 0x1_0000).u32(3, flags);
      while (b.position() < 12 + 68 + 76) {
        b.u8(0);
      }
      MachineDescription m = read(b);
      assertEquals(
          (flags & 1) != 0,
          ((IommuDescription.Smmuv3) m.iommu("smmuv3@0x2b400000").orElseThrow()).coherent());
      assertEquals(
          (flags & 2) != 0,
          ((IommuDescription.Smmuv2) m.iommu("smmuv2@0x2c000000").orElseThrow()).coherent());
    }
  }

  @ParameterizedTest(name = "model {0}: {1}")
  @CsvSource({
    "0, smmuv1@0x2c000000, SMMUv1", "1, smmuv2@0x2c000000, SMMUv2",
    "2, smmuv1@0x2c000000, MMU-400", "3, smmuv2@0x2c000000, MMU-500",
    "4, smmuv1@0x2c000000, MMU-401", "5, smmuv2@0x2c000000, Cavium ThunderX SMMUv2",
    "9, smmuv2@0x2c000000, SMMUv2"
  })
  @DisplayName(
      "SMMUv1/2 models: MMU-400 and MMU-401 are SMMUv1s; an unknown one is taken for an SMMUv2")
  void models(int model, String id, String kind) throws IOException {
    Bytes b = new Bytes().u32(1, SMMU).u32(0);
    b.u8(3).u16(76).u8(1).u32(0, 0, 0).u64(0x2c00_0000L, 0x1_0000).u32(model, 0);
    while (b.position() < 12 + 76) {
      b.u8(0);
    }
    MachineDescription m = read(b);
    assertEquals(kind, m.iommu(id).orElseThrow().kind());
    assertEquals(model > 5, !odd(m).isEmpty());
  }

  @Test
  @DisplayName(
      "mappings inside the header, past the node or past the table, and ITS groups that lie are told with their words' places")
  void lyingCounts() throws IOException {
    int node = AFTER;
    String[][] cases = {
      {"2", "36", "node states 2 id mappings; mapping 1 lies outside the table"},
      {"1", "8", "node has 1 id mappings at offset 8, inside its header"},
      {"0x7fffffff", "36", "lies outside the table"}
    };
    for (String[] c : cases) {
      Bytes b = table(2);
      b.u8(2).u16(36 + 20).u8(1).u32(0, Long.decode(c[0]), Long.decode(c[1]));
      b.u64(1).u32(1, 0).u8(0, 0, 0, 0).u32(0, 0xff, 0, SMMU, 0);
      MachineDescription m = read(b);
      assertTrue(odd(m).getFirst().contains(c[2]), odd(m)::toString);
    }
    Bytes past = table(3);
    past.u8(2).u16(36).u8(1).u32(0, 1, 36).u64(1).u32(1, 0).u8(0, 0, 0, 0);
    past.u8(0).u16(24).u8(1).u32(0, 0, 0).u32(2, 0);
    MachineDescription m = readWithIts(past);
    assertEquals(
        List.of(
            "node states 1 id mappings; mapping 0 lies outside the node",
            "ITS group states 2 ids over 4 bytes"),
        odd(m).subList(0, 2));
    assertEquals(node + 8, m.oddities().get(0).source().offset());
    assertEquals(node + 36 + 16, m.oddities().get(1).source().offset());
  }

  @Test
  @DisplayName(
      "RMR: empty ranges, ranges past the address space and descriptors inside the header are told")
  void badRanges() throws IOException {
    Bytes b = table(2);
    b.u8(6).u16(28 + 3 * 20 + 20).u8(3).u32(0, 1, 88).u32(0, 3, 28);
    b.u64(0x9000_0000L, 0).u32(0).u64(-0x1_0000L, 0x2_0000).u32(0);
    b.u64(-0x1_0000L, 0x1_0000).u32(0);
    b.u32(0, 0, 0x400, SMMU, 0);
    MachineDescription m = read(b);
    assertEquals(
        List.of(
            "RMR range of 0x0 bytes at 0x90000000 is none",
            "RMR range of 0x20000 bytes at 0xffffffffffff0000 is none"),
        odd(m));
    assertEquals(new AddressRange(-0x1_0000L, -1L), m.reserved().getFirst().region().range());
    Bytes early = table(2);
    early.u8(6).u16(28 + 20 + 20).u8(3).u32(0, 1, 48).u32(0, 1, 16);
    early.u64(0x9000_0000L, 0x1_0000).u32(0).u32(0, 0, 0x400, SMMU, 0);
    MachineDescription none = read(early);
    assertEquals(List.of(), none.reserved());
    assertEquals(List.of("RMR states 1 ranges; range 0 lies outside the node"), odd(none));
  }

  @Test
  @DisplayName(
      "root complex: CCA, the bits of ATS, segment and limit, each from its place; named component and PMCG")
  void fields() {
    Bytes b = new Bytes().u32(5, 48).u32(0);
    for (int ats : new int[] {0, 1, 2}) {
      b.u8(2).u16(36).u8(1).u32(0, 0, 0).u32(ats == 0 ? 1 : 0, 0xffff_ffffL).u32(ats, 0x10 + ats);
      b.u8(40 + ats, 0, 0, 0);
    }
    b.u8(1).u16(36).u8(4).u32(0, 0, 0).u32(0, 1, 0xff00_0000L).u8(48).text("\\_SB.A").u8(0);
    b.u8(5).u16(32).u8(2).u32(0, 0, 0).u64(0x2b40_2000L).u32(0, 48);
    Findings findings = new Findings();
    Iort iort =
        AcpiTable.read(Blob.of("IORT", Bytes.table("IORT", 5, b)), "IORT", findings)
            .map(t -> Iort.read(t, findings))
            .orElseThrow();
    assertEquals(List.of(), findings.oddities());
    assertEquals(
        List.of(
            new IortNode.RootComplex(0x10, true, false, false, 40),
            new IortNode.RootComplex(0x11, false, true, false, 41),
            new IortNode.RootComplex(0x12, false, false, true, 42),
            new IortNode.NamedComponent("\\_SB.A", true, 48),
            new IortNode.Pmcg(0x2b40_2000L, 48)),
        iort.nodes().values().stream().map(IortNode::body).toList());
  }
}
