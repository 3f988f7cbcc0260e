package dev.doorbell.doctor;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.plan.Plan.Answer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("doctor: kernel configuration and command line")
class KernelFactsTest {
  @TempDir private Path root = Path.of(".");

  private static Finding only(Diagnosis d, String id) {
    List<Finding> some = d.findings().stream().filter(f -> f.id().equals(id)).toList();
    assertEquals(1, some.size(), () -> id + " in " + d.findings());
    return some.getFirst();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          VFIO          | kernel.vfio      | proc/config.gz
          VFIO_PCI      | kernel.vfio      | proc/config.gz
          VFIO_IOMMU_TYPE1 | kernel.vfio-backend | proc/config.gz
          PCI_MSI       | kernel.pci-msi   | proc/config.gz
          """)
  @DisplayName("Kconfig: an option that is not set blocks, and the finding names it and the file")
  void configOption(String option, String id, String file) {
    HostFolder host = HostFolder.intel(root).config(option + "=n");
    Diagnosis d = host.examine();
    Finding f = only(d, id);
    assertAll(
        () -> assertEquals(Severity.BLOCKS, f.severity()),
        () -> assertTrue(f.message().contains("CONFIG_" + option), f.message()),
        () ->
            assertTrue(
                f.cure().orElse("").contains("CONFIG_VFIO_IOMMU_TYPE1")
                    || option.equals("PCI_MSI")),
        () -> assertEquals(file, f.source().where()),
        () -> assertEquals(Answer.NO, d.verdict().answer()));
  }

  @Test
  @DisplayName("no configuration to be seen is not the same as one without VFIO")
  void configUnseen() {
    Diagnosis d =
        HostFolder.intel(root).without("proc/config.gz").without("proc/modules").examine();
    assertAll(
        () -> assertEquals(Answer.CONDITIONAL, d.verdict().answer()),
        () -> assertFalse(only(d, "kernel.config").isSeen()));
  }

  @Test
  @DisplayName(
      "a configuration of another kernel in /boot does not count; one of the running release does")
  void configByRelease() {
    HostFolder host =
        HostFolder.intel(root)
            .without("proc/config.gz")
            .without("proc/modules")
            .text("boot/config-1.2.3", "CONFIG_VFIO=n\n");
    assertFalse(host.finding("kernel.config").isSeen());
    host.text("proc/version", "Linux version 1.2.3 (x@y) #1\n");
    assertEquals("boot/config-1.2.3", host.finding("kernel.vfio").source().where());
  }

  @Test
  @DisplayName("a config.gz that is damaged is unread, not empty")
  void configDamaged() {
    HostFolder host =
        HostFolder.intel(root).text("proc/config.gz", "not gzip").without("proc/modules");
    assertFalse(host.finding("kernel.config").isSeen());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          intel_iommu=off            | cmdline.off          | BLOCKS
          iommu=off                  | cmdline.off          | BLOCKS
          pci=nomsi                  | cmdline.off          | BLOCKS
          acpi=off                   | cmdline.off          | BLOCKS
          intremap=nosid             | cmdline.nosid        | UNSAFE
          intel_iommu=on,relax_rmrr  | cmdline.relax-rmrr   | UNSAFE
          vfio.enable_unsafe_noiommu_mode=1 | vfio.noiommu  | UNSAFE
          pcie_acs_override=downstream | cmdline.acs-override | UNSAFE
          intel_iommu=igfx_off       | cmdline.igfx         | WARNS
          pci=nommconf               | cmdline.nommconf     | WARNS
          iommu=pt                   | cmdline.passthrough  | FINE
          efi=disable_early_pci_dma  | cmdline.early-dma    | FINE
          """)
  @DisplayName(
      "kernel-parameters.txt: each parameter has its weight, and proc/cmdline is the source")
  void commandLine(String word, String id, Severity severity) {
    Finding f = HostFolder.intel(root).text("proc/cmdline", "quiet " + word + " -- x").finding(id);
    assertAll(
        () -> assertEquals(severity, f.severity()),
        () -> assertEquals("proc/cmdline", f.source().where()),
        () -> assertEquals(severity != Severity.FINE, f.cure().isPresent()));
  }

  @Test
  @DisplayName("what follows -- on the command line is init's, and turns nothing off")
  void initArguments() {
    Diagnosis d = HostFolder.intel(root).text("proc/cmdline", "quiet -- intel_iommu=off").examine();
    assertEquals(Answer.YES, d.verdict().answer());
  }

  @Test
  @DisplayName("ACS override: a whole log without the patch's line tells that it has no effect")
  void overrideWithoutPatch() {
    Finding f =
        HostFolder.intel(root)
            .text("proc/cmdline", "pcie_acs_override=downstream")
            .text("dmesg.txt", "[0.0] Linux version 6.1 x86_64\n")
            .finding("cmdline.acs-override");
    assertEquals(Severity.WARNS, f.severity());
  }
}
