package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Arch;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.testkit.OutsideTool;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Device trees of real machines")
class CapturedTreesTest {
  private static MachineDescription machine(String name) {
    return Firmware.read(Sysroot.open(Shared.require(name)));
  }

  private static FdtTree tree(Path file) throws IOException {
    Findings findings = new Findings();
    FdtTree tree =
        FdtTree.read(Blob.of(file.toString(), Files.readAllBytes(file)), findings).orElseThrow();
    assertTrue(tree.whole(), file.toString());
    assertEquals(List.of(), findings.oddities(), file.toString());
    return tree;
  }

  /// The index was made by another reader; it counts properties of enabled and disabled nodes alike.
  @TestFactory
  Stream<DynamicTest> mapsAreAsManyAsTheIndexCounts() throws IOException {
    Pattern row =
        Pattern.compile("\\| (\\S+/\\S+) \\|.*\\[((?:\\d+ (?:iommu|msi)-map(?:, )?)+)\\].*");
    List<DynamicTest> tests = new ArrayList<>();
    for (String line : Files.readAllLines(Shared.require("captures/INDEX.md"))) {
      Matcher m = row.matcher(line);
      if (m.matches()) {
        tests.add(DynamicTest.dynamicTest(m.group(1), () -> compare(m.group(1), m.group(2))));
      }
    }
    assertTrue(tests.size() > 20);
    return tests.stream();
  }

  private static void compare(String name, String counts) throws IOException {
    FdtTree tree = tree(Shared.require("captures/" + name + "/sys/firmware/fdt"));
    for (String part : counts.split(", ")) {
      String[] words = part.split(" ");
      long found = tree.nodes().stream().filter(n -> n.has(words[1])).count();
      assertEquals(Long.parseLong(words[0]), found, name + " " + words[1]);
    }
  }

  @Test
  @DisplayName("every captured tree is read to its end; every Arm one is told to be one")
  void everyTree() throws IOException {
    int trees = 0;
    for (String arch : List.of("arm64", "riscv64", "ppc64le", "powerpc")) {
      try (Stream<Path> machines = Files.list(Shared.require("captures/" + arch))) {
        for (Path root :
            machines.filter(p -> Files.exists(p.resolve("sys/firmware/fdt"))).toList()) {
          tree(root.resolve("sys/firmware/fdt"));
          MachineDescription m = Firmware.read(Sysroot.open(root));
          Arch expected =
              switch (arch) {
                case "arm64" -> Arch.ARM64;
                case "riscv64" -> Arch.RISCV64;
                case "ppc64le" -> Arch.PPC64;
                default -> Arch.POWERPC;
              };
          assertEquals(expected, m.arch(), root.toString());
          trees++;
        }
      }
    }
    assertTrue(trees > 50, "trees: " + trees);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "arm64-its-dt",
        "arm64-its-iommufd",
        "arm64-its-stage2-dt",
        "arm64-its-vfio-noiommu"
      })
  @DisplayName(
      "lab machines: one ITS at its known place, ids equal requester ids, memory window as the kernel has it")
  void labMachines(String name) throws IOException {
    MachineDescription m = machine("lab-captures/" + name);
    HostBridge b = m.hostBridges().getFirst();
    assertEquals(0x8090040L, m.msiControllers().getFirst().doorbell().orElseThrow());
    assertEquals(OptionalInt.of(0x10), b.msis().getFirst().deviceIdOf(0x10));
    boolean translated = !name.endsWith("noiommu");
    assertEquals(
        translated ? List.of("smmuv3@0x9050000") : List.of(),
        m.iommus().stream().map(IommuDescription::id).toList());
    if (translated) {
      assertEquals(OptionalInt.of(0x10), b.streams().getFirst().streamOf(0x10));
      int stage = name.contains("stage2") ? 44 : 48;
      assertEquals(OptionalInt.of(stage), m.iommus().getFirst().abilities().inputBits());
    }
    String iomem = Files.readString(Shared.require("lab-captures/" + name + "/proc/iomem"));
    assertTrue(iomem.contains("10000000-3efeffff : pcie@10000000"));
    assertTrue(
        b.windows().stream()
            .anyMatch(w -> w.cpu().equals(new AddressRange(0x10000000, 0x3efeffff))));
    assertEquals(
        List.of(new AddressRange(0x40000000, 0x7fffffff)),
        m.memory().stream().map(MachineDescription.Memory::range).toList());
  }

  @Test
  @DisplayName("kontron-sl28: iommu-map entries of length 1 that the boot loader added")
  void lengthOne() {
    MachineDescription m = machine("captures/arm64/kontron-sl28");
    assertEquals(3, m.hostBridges().size());
    assertEquals(OptionalInt.of(10), m.hostBridges().getFirst().streams().getFirst().streamOf(0));
    assertEquals(OptionalInt.empty(), m.hostBridges().getFirst().streams().getFirst().streamOf(1));
    assertEquals(OptionalInt.of(48), m.iommus().getFirst().abilities().inputBits());
  }

  @ParameterizedTest
  @ValueSource(strings = {"kontron-sl28", "kontron-pitx-imx8m"})
  @DisplayName(
      "a structure block overwritten with zeros is read up to there, as a file named directly")
  void overwritten(String name) {
    MachineDescription m = machine("captures/arm64/" + name + "/fdt-as-archived-corrupt.bin");
    assertEquals(1, m.oddities().size());
    assertTrue(m.oddities().getFirst().source().offset() >= 0x1000);
    assertTrue(m.unseen().stream().anyMatch(u -> u.what().startsWith("the device tree after")));
  }

  @Test
  @DisplayName("four frames of a GICv2m, and a host bridge that names one")
  void juno() {
    MachineDescription m = machine("captures/arm64/dt-juno-r2");
    assertEquals(
        4,
        m.msiControllers().stream()
            .filter(c -> c instanceof MsiControllerDescription.GicV2m)
            .count());
    assertEquals(1, m.hostBridges().getFirst().msis().getFirst().controllers().size());
  }

  @Test
  @DisplayName("dtc reads the same number of nodes")
  void dtcCountsTheSame() throws IOException, InterruptedException {
    OutsideTool dtc = OutsideTool.require("dtc");
    for (String name :
        List.of("dt-juno-r2", "kontron-sl28", "rk3588-tb-rk3588x", "dt-sc8280xp-x13s")) {
      Path file = Shared.require("captures/arm64/" + name + "/sys/firmware/fdt");
      OutsideTool.Result result =
          dtc.run(file.getParent(), "-q", "-I", "dtb", "-O", "dts", file.toString());
      assertEquals(0, result.status(), result.err());
      long braces = result.out().lines().filter(l -> l.endsWith("{")).count();
      assertEquals(braces, tree(file).nodes().size(), name);
    }
  }
}
