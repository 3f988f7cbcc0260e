package dev.doorbell.survey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Groups.Group;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Groups and reserved regions of PowerPC and POWER machines")
class PowerSurveyTest {
  private static MachineDescription machine(String name) {
    return Firmware.read(Sysroot.open(Shared.require(name)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ppc64le-powernv9", "ppc64le-pseries"})
  @DisplayName("groups are those that the kernel recorded; what it never reports is a note")
  void asRecorded(String name) {
    Survey survey = Survey.of(machine("lab-captures/" + name));
    Differences d = Differences.of(survey);
    assertEquals(List.of(), d.differences());
    assertEquals(name.endsWith("9") ? 3 : 0, d.notes().size());
    assertEquals(3, survey.groups().size());
    survey.groups().forEach(g -> assertTrue(survey.isolatedMsi(g)));
  }

  @Test
  @DisplayName("IODA: a write with bit 60 set, or to the last 64 KiB below 4 GiB, is a message")
  void messages() {
    Survey survey = Survey.of(machine("lab-captures/ppc64le-powernv9"));
    List<ReservedRegion> regions =
        new Regions(survey).derived(survey.groups().getFirst().functions());
    assertEquals(
        List.of("[0xffff0000, 0xffffffff]", "[0x1000000000000000, 0x1fffffffffffffff]"),
        regions.stream().map(r -> r.range().toString()).sorted().toList().reversed());
    assertTrue(regions.stream().allMatch(r -> r.kind() == ReservedRegion.Kind.MSI));
  }

  @Test
  @DisplayName(
      "Talos II: PEs hold the functions that its kernel's log gave one group, and no bridge")
  void talos() throws IOException {
    Survey survey = Survey.of(machine("captures/ppc64le/talos2-power9"));
    Pattern line = Pattern.compile("iommu: Adding device (\\S+) to group (\\d+)");
    List<List<Sbdf>> logged = new ArrayList<>();
    for (String l :
        Files.readAllLines(Shared.require("captures/ppc64le/talos2-power9/dmesg.txt"))) {
      Matcher m = line.matcher(l);
      if (m.find()) {
        int group = Integer.parseInt(m.group(2));
        while (logged.size() <= group) {
          logged.add(new ArrayList<>());
        }
        logged.get(group).add(Sbdf.parse(m.group(1)));
      }
    }
    assertEquals(4, logged.size());
    // The tree has the bridges of one processor only; the functions of the other's are in no group.
    List<List<Sbdf>> described =
        logged.stream()
            .filter(g ->
                survey
                    .machine()
                    .hostBridge(g.getFirst())
                    .filter(b -> !b.streams().isEmpty())
                    .isPresent())
            .toList();
    assertEquals(described, survey.groups().stream().map(Group::functions).toList());
    assertTrue(
        survey.machine().unseen().stream()
            .anyMatch(
                u -> u.what().startsWith("host bridges of segment 0030") && u.hides().size() == 2),
        "that their IOMMU is not there cannot be said");
  }

  private static Survey with(String name, String... functions) {
    MachineDescription m = machine(name);
    for (String f : functions) {
      m = new WhatIf(Sbdf.parse(f), 4, 0, true).addTo(m);
    }
    return Survey.of(m);
  }

  @Test
  @DisplayName("PAMU: whatever lies below a controller of revision 2.1 is one group, by its LIODN")
  void oneLiodn() {
    Survey survey =
        with("captures/powerpc/dt-p4080ds", "0000:01:00.0", "0000:02:00.0", "0001:01:00.0");
    assertEquals(2, survey.groups().size());
    Group first = survey.groups().getFirst();
    assertEquals(2, first.functions().size());
    assertFalse(survey.isolatedMsi(first), "an MPIC bank does not look at who writes");
  }

  @Test
  @DisplayName("PAMU: controllers of revision 2.4 give endpoints LIODNs of their own")
  void ownLiodns() {
    Survey survey = with("captures/powerpc/dt-t1042rdb", "0000:01:00.0", "0000:01:01.0");
    assertEquals(2, survey.groups().size());
    assertEquals(256, survey.functions().getFirst().streams().getFirst().streamId());
  }

  @TestFactory
  @DisplayName(
      "every PowerPC and POWER capture: read without an oddity of the tree, and what is missing is named")
  Stream<DynamicTest> everyCapture() throws IOException {
    List<DynamicTest> out = new ArrayList<>();
    for (String folder : List.of("captures/powerpc", "captures/ppc64le")) {
      try (Stream<Path> machines = Files.list(Shared.require(folder))) {
        machines
            .sorted()
            .forEach(root ->
                out.add(DynamicTest.dynamicTest(root.getFileName().toString(), () -> check(root))));
      }
    }
    assertTrue(out.size() >= 15);
    return out.stream();
  }

  private static void check(Path root) throws IOException {
    MachineDescription m = Firmware.read(Sysroot.open(root));
    assertTrue(
        m.oddities().stream().noneMatch(o -> o.source().where().endsWith("fdt")),
        m.oddities().toString());
    Path fdt = root.resolve("sys/firmware/fdt");
    if (!Files.exists(fdt)) {
      return;
    }
    String text = Files.readString(fdt, java.nio.charset.StandardCharsets.ISO_8859_1);
    boolean pamu = text.contains("fsl,pamu");
    boolean phb = text.contains("ibm,ioda3-phb");
    assertEquals(pamu, m.iommus().stream().anyMatch(i -> i instanceof IommuDescription.Pamu));
    assertEquals(phb, m.iommus().stream().anyMatch(i -> i instanceof IommuDescription.Phb));
    assertEquals(
        text.contains("fsl,mpic-msi"),
        m.msiControllers().stream().anyMatch(c -> c instanceof MsiControllerDescription.MpicMsi));
    for (var b : m.hostBridges()) {
      boolean known = b.id().startsWith("pci0030") || b.id().startsWith("pci003");
      assertEquals(!known && (pamu || phb), !b.streams().isEmpty(), b.toString());
    }
    assertEquals(
        text.contains("-pbcq\0"),
        m.unseen().stream()
                .anyMatch(u -> u.what().equals("PCI host bridges") && u.hides().size() == 2)
            || phb && text.contains("-pbcq\0"));
  }
}
