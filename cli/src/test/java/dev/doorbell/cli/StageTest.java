package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.qemu.Qemus;
import dev.doorbell.testkit.Json;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("--stage, on machines whose functions are behind an IOMMU without stages, and on PCs")
class StageTest {
  @ParameterizedTest
  @CsvSource("arm64-virtio-iommu-acpi, virtio-iommu")
  @DisplayName("is refused before anything starts, with the IOMMU that is there")
  void refused(String capture, String kind) {
    String root = Shared.require("lab-captures/" + capture).toString();
    Run run = Run.on(root, "assign", "--stage", "2");
    assertEquals(2, run.status(), run::toString);
    assertEquals("", run.out());
    assertTrue(
        run.err()
            .contains(
                "chooses between the stages of an SMMU, of VT-d, of AMD-Vi or of a RISC-V IOMMU"),
        run.err());
    assertTrue(run.err().contains(kind), run.err());
    Run json = Run.on(root, "assign", "--stage", "1", "--json");
    assertEquals(2, json.status(), json::toString);
    assertEquals("BadArguments", Json.parse(json.out()).get("error").get("type").text());
  }

  @Test
  @DisplayName(
      "is refused where firmware tells of no IOMMU at all, by assign and by trace; a stage 3 is no stage first")
  void refusedWithoutIommu(@TempDir Path root) throws IOException {
    copyWithoutIort(Path.of(Run.TWO_ITS), root);
    for (List<String> line :
        List.of(List.of("assign"), List.of("trace", "0000:01:00.0", "--vector", "0"))) {
      for (int stage : new int[] {1, 2}) {
        Run run = withStage(line, root, stage);
        assertEquals(2, run.status(), run::toString);
        assertEquals("", run.out());
        String told =
            "--stage %d chooses between the stages of an SMMU, of VT-d, of AMD-Vi or of a RISC-V IOMMU, and 0000:01:00.0 is behind no IOMMU"
                .formatted(stage);
        assertTrue(run.err().contains(told), run.err());
        assertTrue(run.err().contains("leave --stage out"), run.err());
      }
      Run third = withStage(line, root, 3);
      assertEquals(2, third.status(), third::toString);
      assertTrue(third.err().contains("--stage 3 is neither 1 nor 2"), third.err());
    }
  }

  private static Run withStage(List<String> line, Path root, int stage) {
    List<String> all = new ArrayList<>(line);
    all.addAll(List.of("--root", root.toString(), "--stage", String.valueOf(stage)));
    return Run.of(all.toArray(String[]::new));
  }

  private static void copyWithoutIort(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path p : all.filter(Files::isRegularFile).toList()) {
        Path target = to.resolve(from.relativize(p).toString());
        if (!p.endsWith("IORT")) {
          Files.createDirectories(target.getParent());
          Files.copy(p, target);
        }
      }
    }
  }

  @Test
  @DisplayName(
      "QEMU's AMD IOMMU has no guest tables: a stage 1 is refused by what its ExtFeature says")
  void refusedOnQemu() {
    Qemus.x86OrSkip();
    Run run = Run.of("assign", "--on", "qemu", "--qemu", "q35-amdvi", "--stage", "1");
    assertEquals(1, run.status(), run::toString);
    assertTrue(run.out().contains("without GTSup"), run::toString);
  }

  @Test
  @DisplayName(
      "of a pin and of a function at no SMMU trace refuses it, too; a stage 3 is no stage first")
  void trace() {
    String root = Shared.require("lab-captures/x86-amdvi").toString();
    Run pin = Run.on(root, "trace", "ioapic:0", "--vector", "4", "--stage", "2");
    assertEquals(2, pin.status(), pin::toString);
    assertTrue(pin.err().contains("--stage"), pin.err());
    Run function = Run.on(root, "trace", "00:05.0", "--stage", "1");
    assertEquals(0, function.status(), function::toString);
    Run third = Run.on(root, "assign", "--stage", "3");
    assertTrue(third.err().contains("--stage 3 is neither 1 nor 2"), third.err());
    Run smmu = Run.on(Run.ITS, "assign", "--stage", "2");
    assertEquals(0, smmu.status(), smmu::toString);
  }

  @ParameterizedTest
  @CsvSource({"1, x86-vtd-intremap", "2, x86-vtd-intremap", "1, x86-amdvi", "2, x86-amdvi"})
  @DisplayName(
      "is taken: of VT-d the first stage in scalable mode, the second in legacy mode; of AMD-Vi guest page tables, and the host's")
  void taken(int stage, String capture) {
    String root = Shared.require("lab-captures/" + capture).toString();
    Run run = Run.on(root, "assign", "--stage", String.valueOf(stage));
    assertEquals(0, run.status(), run::toString);
  }

  @ParameterizedTest
  @CsvSource({"1, Sv57", "2, Sv57x4"})
  @DisplayName("of a RISC-V IOMMU the first stage, or the second with the first one Bare")
  void riscv(int stage, String mode) {
    String root = Shared.require("captures/riscv64/qemu-virt-iommu-sys").toString();
    Run run =
        Run.on(
            root,
            "trace",
            "00:05.0",
            "--with",
            "00:05.0,msix=4",
            "--unsafe-interrupts",
            "--stage",
            String.valueOf(stage));
    assertEquals(0, run.status(), run::toString);
    assertTrue(run.out().contains(mode), run::toString);
  }
}
