package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.Arch;
import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

@DisplayName("DEN 0049 IORT, ACPI 6.5 MADT and MCFG: tables of real Arm machines")
class CapturedAcpiTest {
  private static final Map<String, Integer> NODE_NAMES =
      Map.of(
          "ITS", IortNode.ITS_GROUP,
          "NC", IortNode.NAMED_COMPONENT,
          "RC", IortNode.ROOT_COMPLEX,
          "SMMUv1/2", IortNode.SMMU,
          "SMMUv3", IortNode.SMMU3);

  private static MachineDescription machine(String name) {
    return Firmware.read(Sysroot.open(Shared.require("captures/arm64/" + name)));
  }

  /// The counts in the index were made by another reader.
  @TestFactory
  Stream<DynamicTest> nodesAreAsManyAsTheIndexCounts() throws IOException {
    Path index = Shared.require("captures/INDEX.md");
    Pattern row =
        Pattern.compile("\\| (arm64/\\S+) \\| arm64 \\| [^|]*\\(([^)|]*x[0-9][^)|]*)\\) \\|.*");
    List<DynamicTest> tests = new ArrayList<>();
    for (String line : Files.readAllLines(index)) {
      Matcher m =
          row.matcher(line.replace("(+SMMUv3 in the newer ones) ", "").replace("(MMU-500) ", ""));
      if (m.matches()) {
        String name = m.group(1);
        String counts = m.group(2);
        tests.add(
            DynamicTest.dynamicTest(
                name + " " + counts, () -> assertEquals(expected(counts), counted(name))));
      }
    }
    assertTrue(tests.size() > 45, "the index lists " + tests.size() + " machines with node counts");
    return tests.stream();
  }

  private static Map<Integer, Integer> expected(String counts) {
    Map<Integer, Integer> out = new TreeMap<>();
    for (String part : counts.split(" ")) {
      int x = part.lastIndexOf('x');
      Integer type = NODE_NAMES.get(part.substring(0, x));
      if (type != null) {
        out.put(type, Integer.parseInt(part.substring(x + 1)));
      }
    }
    return out;
  }

  private static Map<Integer, Integer> counted(String name) {
    Sysroot root = Sysroot.open(Shared.require("captures/" + name));
    Findings findings = new Findings();
    AcpiTables tables = AcpiTables.read(root, AcpiTables.FOLDER, findings);
    Map<Integer, Integer> out = Iort.read(tables.table("IORT").orElseThrow(), findings).counts();
    out.keySet().retainAll(NODE_NAMES.values());
    return out;
  }

  @Test
  @DisplayName(
      "every Arm capture with ACPI tables is read as one, and no table but the stated bad ones is refused")
  void everyCaptureIsRead() throws IOException {
    Path arm = Shared.require("captures/arm64");
    List<Path> roots = new ArrayList<>();
    try (Stream<Path> all = Files.walk(arm, 3)) {
      all.filter(p -> Files.isDirectory(p.resolve("sys/firmware/acpi/tables"))).forEach(roots::add);
    }
    assertTrue(roots.size() > 50);
    List<String> refused = new ArrayList<>();
    for (Path root : roots) {
      MachineDescription m = Firmware.read(Sysroot.open(root));
      assertEquals(Arch.ARM64, m.arch(), root.toString());
      assertEquals(FirmwareKind.ACPI, m.firmware(), root.toString());
      m.oddities().stream()
          .filter(o -> o.message().contains("is not read"))
          .forEach(o ->
              refused.add(arm.relativize(root) + " " + o.source().where().replaceAll(".*/", "")));
    }
    refused.sort(null);
    assertEquals(
        List.of(
            "lenovo-flex-5g APIC",
            "microsoft-surface-pro-12-in IORT",
            "microsoft-surface-pro-12-in MCFG",
            "microsoft-surface-pro-12-in XSDT"),
        refused);
  }

  @Test
  @DisplayName("wrong checksums are oddities, the content is read")
  void wrongChecksums() {
    MachineDescription m = machine("microsoft-surface-romulus13_and_15");
    assertEquals(
        3, m.oddities().stream().filter(o -> o.message().contains("wrong checksum")).count());
    assertEquals(3, m.iommus().size());
  }

  @Test
  @DisplayName("a length field over EF BF BD bytes is named as what it is")
  void replacedBytes() {
    MachineDescription m = machine("microsoft-surface-pro-12-in");
    assertTrue(
        m.oddities().stream()
            .anyMatch(o ->
                o.message().contains("0x14bdbfef")
                    && o.message().contains("EF BF BD")
                    && o.source().where().endsWith("/IORT")));
    assertTrue(m.unseen().stream().anyMatch(u -> u.what().contains("id mappings")));
  }

  @Test
  @DisplayName(
      "Altra: eight ITSes, six of them in groups, segments with gaps, flagged zero-count mappings")
  void altra() {
    MachineDescription m = machine("ampere-altra-ava1");
    assertEquals(8, m.msiControllers().size());
    assertEquals(
        List.of(0, 2, 4, 5, 12, 13),
        m.hostBridges().stream().map(HostBridge::segment).sorted().toList());
    for (HostBridge b : m.hostBridges()) {
      assertEquals(1, b.streams().size(), b.id());
      assertEquals(1, b.msis().size(), b.id());
      assertEquals(0x10000, b.streams().getFirst().count(), b.id());
    }
    assertEquals(
        6, m.hostBridges().stream().map(b -> b.streams().getFirst().iommu()).distinct().count());
    List<String> named =
        m.hostBridges().stream().flatMap(b -> b.msis().getFirst().controllers().stream()).toList();
    List<String> expected =
        m.msiControllers().stream()
            .filter(c -> !named.contains(c.id()))
            .map(c ->
                "%s (MADT id %d)".formatted(c.id(), ((MsiControllerDescription.Its) c).itsId()))
            .toList();
    assertEquals(2, expected.size());
    List<String> told =
        m.oddities().stream()
            .map(o -> o.message())
            .filter(o -> o.startsWith("no ITS group of the IORT names "))
            .map(o -> o.substring("no ITS group of the IORT names ".length(), o.indexOf(':')))
            .toList();
    assertEquals(expected, told);
  }

  @Test
  @DisplayName("HIP07: counts that are one too high are read as the boards' own quirk")
  void hisiliconCounts() {
    MachineDescription m = machine("hisi-d05-hip07");
    assertEquals(8, m.msiControllers().size());
    assertTrue(m.oddities().stream().noneMatch(o -> o.message().contains("mapped twice")));
    HostBridge b = m.hostBridges().getFirst();
    assertTrue(b.streams().isEmpty());
    long total = b.msis().stream().mapToLong(HostBridge.MsiMapping::count).sum();
    assertEquals(0, total % 256, "whole buses: " + b.msis());
  }

  @Test
  @DisplayName("SC8180X: no ITS, so the MADT's MSI frame serves every function, as in Linux")
  void frameWithoutIts() {
    MachineDescription m = machine("surface-pro-x-sq2");
    MsiControllerDescription.GicV2m frame =
        (MsiControllerDescription.GicV2m) m.msiControllers().getFirst();
    for (HostBridge b : m.hostBridges()) {
      assertEquals(List.of(frame.id()), b.msis().getFirst().controllers());
      assertEquals(0x10000, b.msis().getFirst().count());
    }
    assertTrue(frame.spiBase().isPresent());
    assertTrue(frame.spiCount().isPresent());
  }

  @Test
  @DisplayName(
      "SC8280XP: two MMU-500s and an SMMUv3; segments have their own StreamID and DeviceID offsets")
  void severalGenerations() {
    MachineDescription m = machine("lenovo-thinkpad-x13s");
    assertEquals(
        List.of("MMU-500", "MMU-500", "SMMUv3"),
        m.iommus().stream().map(IommuDescription::kind).toList());
    HostBridge third = m.hostBridges().get(2);
    assertEquals(0x20000 + 0x100, third.streams().getFirst().streamOf(0x100).orElseThrow());
    assertEquals(0xa0000 + 0x100, third.msis().getFirst().deviceIdOf(0x100).orElseThrow());
  }

  @Test
  @DisplayName("HoneyComb: the ECAM of a segment whose first bus is 1 begins at that bus")
  void firstBusIsOne() {
    MachineDescription m = machine("honeycomb-lx2160a");
    HostBridge b = m.hostBridges().getFirst();
    assertEquals(1, b.firstBus());
    assertEquals(0x10_0000, b.ecam().orElseThrow().start() % 0x1000_0000);
    assertEquals(255L << 20, b.ecam().orElseThrow().bytes());
  }

  @Test
  @DisplayName("an ITS that the IORT names and the MADT has not")
  void itsThatIsNotThere() {
    MachineDescription m = machine("qemu-virt-gicv2m");
    assertTrue(
        m.oddities().stream()
            .anyMatch(o -> o.message().contains("names ITS 0, which the MADT does not describe")));
    assertEquals(
        "GICv2m",
        m.msiController(m.hostBridges().getFirst().msis().getFirst().controllers().getFirst())
            .orElseThrow()
            .kind());
  }

  @Test
  @DisplayName("a folder of bare tables is a partial machine")
  void bareTables() {
    Path tables = Shared.require("captures/arm64/ampere-altra-ava1/sys/firmware/acpi/tables");
    MachineDescription bare = Firmware.read(Sysroot.open(tables));
    MachineDescription whole = machine("ampere-altra-ava1");
    assertEquals(
        whole.iommus().stream().map(IommuDescription::id).toList(),
        bare.iommus().stream().map(IommuDescription::id).toList());
    assertEquals("IORT", bare.iommus().getFirst().source().where());
  }
}
