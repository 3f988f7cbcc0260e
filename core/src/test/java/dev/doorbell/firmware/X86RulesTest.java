package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.HostBridge;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.InterruptRemapping.State;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Unseen;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Groups;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Isolation;
import dev.doorbell.survey.Survey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("VT-d 8 DMAR and 48882 5.2 IVRS: rules that no capture shows alone")
class X86RulesTest {
  private static final String TABLES = "sys/firmware/acpi/tables/";
  private static final int PORT = 0x060400;
  private static final int NETWORK = 0x020000;
  private static final int USB = 0x0c0330;

  @TempDir Path folder;

  private void write(String name, byte[] bytes) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }

  private MachineDescription read() {
    return Firmware.read(Sysroot.open(folder));
  }

  private void function(String sbdf, int classCode, int secondary, int subordinate)
      throws IOException {
    Bytes b = new Bytes().u16(0x8086, 0x1234, 0, 0).u32(classCode << 8).u8(0, 0);
    b.u8(secondary > 0 ? 1 : 0).at(0x18).u8(Sbdf.parse(sbdf).bus(), secondary, subordinate);
    write("sys/bus/pci/devices/" + sbdf + "/config", b.toArray(256));
  }

  /// A unit with these scopes, each of 8 or more bytes.
  private static Bytes unit(Bytes b, int flags, long base, int... scopes) {
    b.u16(Dmar.DRHD, 16 + scopes.length).u8(flags, 0).u16(0).u64(base);
    for (int s : scopes) {
      b.u8(s);
    }
    return b;
  }

  private static Bytes dmar() {
    return new Bytes().u8(38, 1).u64(0).u16(0);
  }

  private static Optional<String> behind(MachineDescription m, String sbdf) {
    Sbdf s = Sbdf.parse(sbdf);
    return m.hostBridge(s).orElseThrow().streams().stream()
        .filter(x -> x.streamOf(s.requesterId()).isPresent())
        .map(HostBridge.StreamMapping::iommu)
        .findFirst();
  }

  @Test
  @DisplayName("VT-d 8.3.1: a path leads through bridges by their secondary bus numbers")
  void pathThroughBridges() throws IOException {
    function("0000:00:1c.0", PORT, 2, 4);
    function("0000:02:01.0", PORT, 4, 4);
    function("0000:04:00.0", NETWORK, 0, 0);
    function("0000:04:00.1", NETWORK, 0, 0);
    Bytes b = dmar();
    unit(b, 0, 0xfed9_0000L, 1, 12, 0, 0, 0, 0, 0x1c, 0, 1, 0, 0, 1);
    unit(b, 1, 0xfed9_1000L);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    MachineDescription m = read();
    assertEquals(Optional.of("vt-d@0xfed90000"), behind(m, "0000:04:00.1"), m.oddities()::toString);
    assertEquals(Optional.of("vt-d@0xfed91000"), behind(m, "0000:04:00.0"));
    assertEquals(Optional.of("vt-d@0xfed91000"), behind(m, "0000:00:1c.0"));
  }

  @Test
  @DisplayName(
      "VT-d 8.3: INCLUDE_PCI_ALL yields to named devices wherever it stands; a sub-hierarchy takes its buses")
  void orderDoesNotMatter() throws IOException {
    function("0000:00:1c.0", PORT, 2, 4);
    function("0000:03:00.0", NETWORK, 0, 0);
    Bytes b = dmar();
    unit(b, 1, 0xfed9_1000L);
    unit(b, 0, 0xfed9_0000L, 2, 8, 0, 0, 0, 0, 0x1c, 0);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    MachineDescription m = read();
    assertEquals(Optional.of("vt-d@0xfed90000"), behind(m, "0000:03:00.0"));
    assertEquals(Optional.of("vt-d@0xfed90000"), behind(m, "0000:04:1f.7"));
    assertEquals(Optional.of("vt-d@0xfed91000"), behind(m, "0000:05:00.0"));
  }

  @Test
  @DisplayName("a path through a bridge that is not captured leads nowhere, and is said to")
  void pathThatCannotBeFollowed() throws IOException {
    Bytes b = dmar();
    unit(b, 0, 0xfed9_0000L, 1, 10, 0, 0, 0, 0, 0x1c, 0, 0, 0);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    MachineDescription m = read();
    assertTrue(
        m.unseen().stream().anyMatch(u -> u.what().contains("which function a device scope")),
        m.unseen()::toString);
  }

  @Test
  @DisplayName(
      "R13 RMRR: direct for a network function, relaxable for a USB controller, odd when it ends before it starts")
  void reservedMemory() throws IOException {
    function("0000:00:14.0", USB, 0, 0);
    function("0000:00:19.0", NETWORK, 0, 0);
    Bytes b = dmar();
    unit(b, 1, 0xfed9_0000L);
    b.u16(Dmar.RMRR, 24 + 16).u16(0, 0).u64(0x7000_0000L, 0x7000_0fffL);
    b.u8(1, 8, 0, 0, 0, 0, 0x14, 0).u8(1, 8, 0, 0, 0, 0, 0x19, 0);
    b.u16(Dmar.RMRR, 24 + 8).u16(0, 0).u64(0x7000_1000L, 0x7000_0fffL);
    b.u8(1, 8, 0, 0, 0, 0, 0x19, 0);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    MachineDescription m = read();
    assertEquals(2, m.reserved().size());
    m.reserved()
        .forEach(r ->
            assertEquals(
                r.functions(),
                List.of(
                    Sbdf.parse(
                        r.region().kind() == ReservedRegion.Kind.DIRECT
                            ? "0000:00:19.0"
                            : "0000:00:14.0"))));
    assertTrue(
        m.oddities().stream()
            .anyMatch(o ->
                o.message().contains("before its start")
                    && o.source().toString().contains("DMAR+0x")));
  }

  private MachineDescription withInterrupts(String lines) throws IOException {
    Bytes b = dmar();
    unit(b, 1, 0xfed9_0000L);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    write("proc/interrupts", ("      CPU0\n" + lines).getBytes(StandardCharsets.US_ASCII));
    return read();
  }

  private static InterruptRemapping.State remapping(MachineDescription m) {
    return m.iommus().getFirst().interruptRemapping().orElseThrow().state();
  }

  @Test
  @DisplayName(
      "Linux 6.12: an IOMMU's own MSI is never remapped and tells nothing; one remapped MSI tells that all are")
  void ownInterruptsOfIommus() throws IOException {
    String own =
        """
         25:   0   PCI-MSI 4096-edge      AMD-Vi
         27:   0   PCI-MSI 8192-edge      dmar1
        """;
    assertEquals(InterruptRemapping.State.UNSEEN, remapping(withInterrupts(own)));
    assertEquals(
        InterruptRemapping.State.ON,
        remapping(withInterrupts(own + " 26:   0   IR-PCI-MSI 18432-edge   PCIe PME, aerdrv\n")));
    assertEquals(
        InterruptRemapping.State.OFF,
        remapping(withInterrupts(own + " 26:   0   PCI-MSI 18432-edge   PCIe PME, aerdrv\n")));
  }

  @ParameterizedTest
  @CsvSource({"0, IR-PCI-MSI, 1", "0, PCI-MSI, 0", "1, IR-PCI-MSI, 0"})
  @DisplayName(
      "interrupts that were remapped, and firmware that does not offer it: the interrupts count, and the table is odd")
  void remappedAllTheSame(int flags, String chip, int odd) throws IOException {
    Bytes b = new Bytes().u8(38, flags).u64(0).u16(0);
    unit(b, 1, 0xfed9_0000L);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    write(
        "proc/interrupts",
        "      CPU0\n 26:   0   %s 18432-edge   eth0\n"
            .formatted(chip)
            .getBytes(StandardCharsets.US_ASCII));
    MachineDescription m = read();
    assertEquals(
        chip.startsWith("IR") ? InterruptRemapping.State.ON : InterruptRemapping.State.OFF,
        remapping(m));
    List<Oddity> oddities =
        m.oddities().stream().filter(o -> o.message().contains("INTR_REMAP is 0")).toList();
    assertEquals(odd, oddities.size(), m.oddities()::toString);
    oddities.forEach(o ->
        assertTrue(o.source().toString().contains("DMAR+0x25") && !o.mayHideFacts(), o::toString));
  }

  @Test
  @DisplayName("a function that no unit remaps is not isolated, whatever the machine's others are")
  void outsideEveryScope() throws IOException {
    function("0000:00:19.0", NETWORK, 0, 0);
    function("0000:00:1f.0", NETWORK, 0, 0);
    Bytes b = dmar();
    unit(b, 0, 0xfed9_0000L, 1, 8, 0, 0, 0, 0, 0x19, 0);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    write(
        "proc/interrupts",
        "      CPU0\n 26:   0   IR-PCI-MSI 18432-edge   eth0\n"
            .getBytes(StandardCharsets.US_ASCII));
    Survey survey = Survey.of(read());
    assertEquals(Isolation.State.YES, isolation(survey, "0000:00:19.0").state());
    Isolation outside = isolation(survey, "0000:00:1f.0");
    assertEquals(Isolation.State.NO, outside.state());
    assertTrue(outside.because().contains("no IOMMU that remaps"), outside::because);
  }

  private static Isolation isolation(Survey survey, String sbdf) {
    Sbdf s = Sbdf.parse(sbdf);
    return survey.isolation(
        survey
            .group(s)
            .orElseGet(() -> new Groups.Group(0, List.of(s), List.of("it alone"), true)));
  }

  @Test
  @DisplayName(
      "Linux dmar_register_drhd_unit: of two INCLUDE_PCI_ALL units the first counts, of two that name a device the last")
  void twoUnitsForOneDevice() throws IOException {
    function("0000:00:19.0", NETWORK, 0, 0);
    Bytes b = dmar();
    unit(b, 1, 0xfed9_1000L);
    unit(b, 1, 0xfed9_2000L);
    unit(b, 0, 0xfed9_3000L, 1, 8, 0, 0, 0, 0, 0x19, 0);
    unit(b, 0, 0xfed9_4000L, 1, 8, 0, 0, 0, 0, 0x19, 0);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    MachineDescription m = read();
    assertEquals(Optional.of("vt-d@0xfed91000"), behind(m, "0000:00:1f.0"));
    assertEquals(Optional.of("vt-d@0xfed94000"), behind(m, "0000:00:19.0"));
    assertTrue(
        m.oddities().stream().anyMatch(o -> o.message().contains("the first counts")),
        m.oddities()::toString);
  }

  private static List<String> structures(MachineDescription m) {
    return m.structures().stream().map(s -> s.name() + " " + s.tells()).toList();
  }

  @Test
  @DisplayName("Every structure of a DMAR is spelled out once, however many units it has")
  void dmarSpelledOut() throws IOException {
    Bytes b = new Bytes().u8(38, 3).u64(0).u16(0);
    unit(b, 0, 0xfed9_0000L, 1, 8, 0, 0, 0, 0, 2, 0, 5, 8, 0, 0, 7, 0, 0x15, 1);
    unit(b, 1, 0xfed9_1000L, 3, 8, 0, 0, 2, 0xf0, 0x1f, 0);
    b.u16(Dmar.RMRR, 34).u16(0, 0).u64(0x7d00_0000L, 0x7d00_ffffL);
    b.u8(1, 10, 0, 0, 0, 0, 0x1c, 3, 0, 0);
    b.u16(Dmar.ATSR, 8).u8(1, 0).u16(0);
    b.u16(Dmar.RHSA, 20).u32(0).u64(0xfed9_1000L).u32(1);
    b.u16(Dmar.ANDD, 16).u8(0, 0, 0, 7, '\\', 'I', '2', 'C', '0', 0, 0, 0);
    b.u16(Dmar.SATC, 16).u8(1, 0).u16(0).u8(1, 8, 0, 0, 0, 0, 6, 0);
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    assertEquals(
        List.of(
            "DMAR flags INTR_REMAP, X2APIC_OPT_OUT",
            "DRHD the unit at 0xfed90000, for 0000:00:02.0, ACPI device 7 \\I2C0 (0000:00:15.1)",
            "DRHD the unit at 0xfed91000, for all that no other unit of the segment has (INCLUDE_PCI_ALL) and I/O APIC 2 (0000:f0:1f.0)",
            "RMRR 0x7d000000-0x7d00ffff, for 0000:00:1c.3/00.0",
            "ATSR all root ports of segment 0 take ATS requests (ALL_PORTS)",
            "RHSA the unit at 0xfed91000 is near proximity domain 1",
            "ANDD ACPI device 7 is \\I2C0",
            "SATC integrated devices that need ATS (ATC_REQUIRED): 0000:00:06.0"),
        structures(read()));
  }

  private static Bytes ivhd(Bytes b, int type, String hex) {
    byte[] entries = HexFormat.of().parseHex(hex.replace(" ", ""));
    int header = type == Ivrs.IVHD_10 ? 24 : 40;
    b.u8(type, 0).u16(header + entries.length).u16(2).u16(0x40).u64(0xfeb8_0000L).u16(0, 0).u32(0);
    if (type != Ivrs.IVHD_10) {
      b.u64(0, 0);
    }
    for (byte e : entries) {
      b.u8(e);
    }
    return b;
  }

  @Test
  @DisplayName("48882 5.2.2: ranges, aliases and special devices; the IOMMU is not behind itself")
  void deviceEntries() throws IOException {
    Bytes b = new Bytes().u32(0).u64(0);
    // Range 0x8 to 0xff; device 0x300 as 0x200; range 0x400 to 0x4ff as 0x210; HPET and I/O APIC.
    ivhd(
        b,
        Ivrs.IVHD_10,
        "03080000 04ff0000 4200030000000200 4300040000100200 04ff0400 4800000000a00002 4800000007a10001");
    write(TABLES + "IVRS", Bytes.table("IVRS", 1, b));
    MachineDescription m = read();
    assertEquals(List.of(), m.oddities());
    HostBridge bridge = m.hostBridges().getFirst();
    assertEquals(0x1f, stream(bridge, 0x1f));
    assertEquals(0x200, stream(bridge, 0x300));
    assertEquals(0x210, stream(bridge, 0x400));
    assertEquals(0x210, stream(bridge, 0x4ff));
    assertEquals(-1, stream(bridge, 0x500));
    assertEquals(-1, stream(bridge, 2), "the IOMMU itself");
    assertEquals(0xa0, m.apic().orElseThrow().hpets().getFirst().sourceId().orElseThrow());
    String told = structures(m).getFirst();
    assertTrue(
        told.endsWith(
            "for 0x8-0xff, 0x300 as 0x200, 0x400-0x4ff as 0x210, HPET 0 as 0xa0, I/O APIC 7 as 0xa1"),
        told);
  }

  @Test
  @DisplayName(
      "Linux remaps no interrupts where the IVRS names no I/O APIC at 00:14.0, unless its command line does; of a damaged table nothing is known")
  void southBridgeIoApic() throws IOException {
    assertEquals(State.OFF, remapping("03080000 04ff0000"));
    assertEquals(State.OFF, remapping("03080000 04ff0000 4800000007a10001 4800000000a00002"));
    assertEquals(State.UNSEEN, remapping("03080000 04ff0000 4800000004a00001"));
    assertEquals(State.UNSEEN, remapping("03080000 04ff0000 3f000000"));
    write("proc/cmdline", "ro ivrs_ioapic[4]=00:14.0 quiet\n".getBytes(StandardCharsets.US_ASCII));
    assertEquals(State.UNSEEN, remapping("03080000 04ff0000"));
  }

  private State remapping(String entries) throws IOException {
    Bytes b = ivhd(new Bytes().u32(0).u64(0), Ivrs.IVHD_11, entries);
    write(TABLES + "IVRS", Bytes.table("IVRS", 1, b));
    return read().iommus().getFirst().interruptRemapping().orElseThrow().state();
  }

  private static int stream(HostBridge bridge, int rid) {
    return bridge.streams().stream()
        .map(s -> s.streamOf(rid))
        .filter(o -> o.isPresent())
        .findFirst()
        .map(o -> o.getAsInt())
        .orElse(-1);
  }

  @Test
  @DisplayName(
      "48882 5.2.2: a range without an end, an end without a range, an entry of unknown type: odd, with the offset, and the rest is read")
  void badEntries() throws IOException {
    Bytes b = new Bytes().u32(0).u64(0);
    ivhd(b, Ivrs.IVHD_11, "04090000 03080000 02180000 3f000000 02200000");
    write(TABLES + "IVRS", Bytes.table("IVRS", 1, b));
    MachineDescription m = read();
    assertEquals(3, m.oddities().size(), m.oddities()::toString);
    m.oddities().forEach(o -> assertTrue(o.source().offset() >= 88, o.toString()));
    assertEquals(0x18, stream(m.hostBridges().getFirst(), 0x18));
    assertEquals(0x20, stream(m.hostBridges().getFirst(), 0x20));
  }

  @Test
  @DisplayName("a table that names every segment does not fill the memory")
  void manySegments() throws IOException {
    Bytes b = dmar();
    for (int s = 0; s < 3000; s++) {
      b.u16(Dmar.DRHD, 16).u8(1, 0).u16(s).u64(0xfed0_0000L + s * 0x1000L);
    }
    write(TABLES + "DMAR", Bytes.table("DMAR", 1, b));
    MachineDescription m = read();
    assertEquals(64, m.hostBridges().size());
    assertTrue(m.oddities().stream().anyMatch(o -> o.message().contains("one more than the 64")));
  }

  @Test
  @DisplayName(
      "a DMAR that cannot be read, and groups without a table, hide the IOMMUs: there being none is no answer")
  void hidden() throws IOException {
    write(TABLES + "DMAR", new byte[12]);
    assertTrue(hides(read()));
    Files.delete(folder.resolve(TABLES + "DMAR"));
    write(TABLES + "APIC", Bytes.table("APIC", 3, new Bytes().u32(0, 1).u8(0, 8, 0, 0).u32(1)));
    assertTrue(!hides(read()), "a machine without either table has no IOMMU");
    write("sys/kernel/iommu_groups/0/type", new byte[] {'D', 'M', 'A', 10});
    assertTrue(hides(read()));
  }

  private static boolean hides(MachineDescription m) {
    return m.unseen().stream().anyMatch(u -> u.hides().contains(Unseen.Hidden.IOMMUS));
  }
}
