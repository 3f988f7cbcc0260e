package dev.doorbell.doctor;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.plan.Plan.Answer;
import dev.doorbell.survey.Survey;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("doctor: the verdict on machines of which it is known what their kernels granted")
class DoctorCapturesTest {
  private static Diagnosis examine(String name) {
    Path root = Shared.require(name);
    Sysroot sysroot = Sysroot.open(root);
    return Doctor.examine(sysroot, Survey.of(Firmware.read(sysroot)), List.of());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          arm64-2smmu-acpi             | YES | safe
          arm64-gicv2m-acpi            | YES | path.not-isolated
          arm64-its-acpi-switch-sriov  | YES | safe
          arm64-its-dt                 | YES | safe
          arm64-its-iommufd            | YES | safe
          arm64-its-stage2-dt          | YES | safe
          arm64-virtio-iommu-acpi      | YES | safe
          arm64-its-noiommu-acpi       | NO  | firmware.iommu
          arm64-its-vfio-noiommu       | NO  | vfio.noiommu
          ppc64le-powernv9             | YES | safe
          ppc64le-pseries              | YES | safe
          riscv64-iommu-native         | NO  | module.backend
          x86-amdvi                    | YES | safe
          x86-vtd-intremap             | YES | safe
          x86-vtd-iommufd              | YES | safe
          x86-vtd-nointremap           | YES | interrupts.remapping
          x86-vtd-scalable-fs          | YES | safe
          """)
  @DisplayName(
      "lab captures: vfio-pci held functions of those with yes; the finding that makes one unsafe or blocks it is named")
  void lab(String name, Answer answer, String id) {
    Diagnosis d = examine("lab-captures/" + name);
    List<String> heavy =
        d.findings().stream()
            .filter(f ->
                f.severity() == Severity.UNSAFE
                    || f.severity() == Severity.BLOCKS && f.functions().isEmpty())
            .map(Finding::id)
            .toList();
    assertAll(
        () -> assertEquals(answer, d.verdict().answer(), d.verdict()::toString),
        () ->
            assertTrue(
                id.equals("safe") ? heavy.isEmpty() : heavy.contains(id),
                () -> heavy + " has no " + id),
        () ->
            assertTrue(
                answer == Answer.NO
                    || d.functions().stream()
                        .filter(f -> f.driver().map("vfio-pci"::equals).orElse(false))
                        .allMatch(f -> f.answer() == Answer.YES),
                d.functions()::toString));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          arm64/phytium-ft2000-4            | NO          | the IORT describes no SMMU
          arm64/hisi-d05-hip07              | NO          | the IORT describes no SMMU
          arm64/qemu-sbsa-ref               | NO          | firmware has no IORT
          arm64/acer-aspire-1               | NO          | maps no requester id of a PCI host bridge
          arm64/rk3588-tb-rk3588x           | NO          | the device tree describes no IOMMU
          arm64/microsoft-surface-pro-12-in | CONDITIONAL | nothing stands against it
          arm64/ampere-altra-ava1           | CONDITIONAL | nothing stands against it
          x86/lenovo-m58p                   | NO          | INTR_REMAP is 0
          x86/acer-laptop                   | NO          | neither DMAR
          x86/amd-x399-prime                | CONDITIONAL | nothing stands against it
          """)
  @DisplayName(
      "firmware alone: an IOMMU that is not described blocks, a damaged table and an unseen kernel do not")
  void firmware(String name, Answer answer, String because) {
    Diagnosis d = examine("captures/" + name);
    assertAll(
        () -> assertEquals(answer, d.verdict().answer(), d.verdict()::toString),
        () -> assertTrue(d.verdict().because().contains(because), d.verdict()::toString));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lab-captures",
        "captures/arm64",
        "captures/x86",
        "captures/powerpc",
        "captures/riscv64",
        "captures/ppc64le"
      })
  @DisplayName("each finding has its source, and all but the fine ones say what to do")
  void sourceAndCure(String folder) throws IOException {
    List<Path> machines;
    try (Stream<Path> all = Files.list(Shared.require(folder))) {
      machines = all.filter(Files::isDirectory).sorted().toList();
    }
    List<String> bare = new ArrayList<>();
    for (Path machine : machines) {
      for (Finding f : examine(folder + "/" + machine.getFileName()).findings()) {
        if (f.source().where().isBlank()
            || f.severity() != Severity.FINE && f.cure().filter(c -> !c.isBlank()).isEmpty()) {
          bare.add(machine.getFileName() + ": " + f);
        }
      }
    }
    assertFalse(machines.isEmpty());
    assertEquals(List.of(), bare);
  }
}
