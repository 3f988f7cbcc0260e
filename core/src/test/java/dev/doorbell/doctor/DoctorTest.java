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

@DisplayName("doctor: what blocks passthrough, what makes it unsafe, and what could not be seen")
class DoctorTest {
  @TempDir private Path root = Path.of(".");

  private static Finding only(Diagnosis d, String id) {
    List<Finding> some = d.findings().stream().filter(f -> f.id().equals(id)).toList();
    assertEquals(1, some.size(), () -> id + " in " + d.findings());
    return some.getFirst();
  }

  private static boolean has(Diagnosis d, String id) {
    return d.findings().stream().anyMatch(f -> f.id().equals(id));
  }

  @Test
  @DisplayName("a host with everything: yes, and each fine finding names the file that told it")
  void allIsWell() {
    Diagnosis d = HostFolder.intel(root).examine();
    assertAll(
        () -> assertEquals(Answer.YES, d.verdict().answer(), d.findings()::toString),
        () ->
            assertEquals(
                "sys/firmware/acpi/tables/DMAR", only(d, "firmware.iommu").source().toString()),
        () -> assertEquals("proc/config.gz", only(d, "kernel.vfio").source().where()),
        () -> assertEquals("proc/interrupts", only(d, "interrupts.remapping").source().where()),
        () ->
            assertTrue(
                d.findings().stream().allMatch(f -> f.severity() == Severity.FINE),
                d.findings()::toString));
  }

  @Test
  @DisplayName("DMAR flag INTR_REMAP 0: VFIO refuses, until it is told to accept unsafe interrupts")
  void noRemapping() {
    HostFolder host =
        HostFolder.intel(root)
            .table("DMAR", 0)
            .text("proc/interrupts", "  CPU0\n 30: 1 PCI-MSIX-0000:01:00.0 0-edge eth0\n");
    Diagnosis refused = host.examine();
    assertEquals(Severity.BLOCKS, only(refused, "interrupts.remapping").severity());
    assertEquals(Answer.NO, refused.verdict().answer());
    host.text("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n");
    Diagnosis accepted = host.examine();
    assertAll(
        () -> assertEquals(Severity.UNSAFE, only(accepted, "interrupts.remapping").severity()),
        () -> assertEquals(Answer.YES, accepted.verdict().answer()),
        () ->
            assertTrue(
                accepted.verdict().because().contains("not safe"), accepted.verdict().because()));
  }

  @Test
  @DisplayName(
      "hardware has interrupt remapping and the kernel lacks CONFIG_IRQ_REMAP: the finding says both")
  void kernelLacksRemapping() {
    Finding f =
        HostFolder.intel(root)
            .config("IRQ_REMAP=n")
            .text("proc/interrupts", "  CPU0\n 30: 1 PCI-MSIX-0000:01:00.0 0-edge eth0\n")
            .finding("interrupts.remapping");
    assertAll(
        () -> assertEquals(Severity.BLOCKS, f.severity()),
        () ->
            assertTrue(
                f.message().contains("firmware offers it and the kernel lacks CONFIG_IRQ_REMAP"),
                f.message()));
  }

  @Test
  @DisplayName("allow_unsafe_interrupts left on where interrupts are remapped is worth a word")
  void leftOn() {
    Finding f =
        HostFolder.intel(root)
            .text("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n")
            .finding("interrupts.allow-unsafe");
    assertEquals(Severity.WARNS, f.severity());
  }

  @Test
  @DisplayName(
      "no DMAR, no IVRS and no VIOT among tables that are there: firmware describes no IOMMU")
  void noTable() {
    Diagnosis d =
        HostFolder.intel(root)
            .without("sys/firmware/acpi/tables/DMAR")
            .without("sys/kernel/iommu_groups")
            .without("sys/class/iommu")
            .examine();
    assertAll(
        () -> assertEquals(Severity.BLOCKS, only(d, "firmware.iommu").severity()),
        () -> assertEquals(Answer.NO, d.verdict().answer()),
        () -> assertTrue(d.verdict().because().startsWith("firmware describes no IOMMU")));
  }

  @Test
  @DisplayName("an empty sys/firmware, as containers have it, hides the tables: unseen, not absent")
  void maskedFirmware() {
    Diagnosis d =
        HostFolder.intel(root)
            .without("sys/firmware/acpi")
            .without("sys/kernel/iommu_groups")
            .without("sys/class/iommu")
            .text(".dockerenv", "")
            .examine();
    assertAll(
        () -> assertFalse(only(d, "firmware.iommu").isSeen()),
        () -> assertEquals(Answer.CONDITIONAL, d.verdict().answer()),
        () -> assertEquals(Severity.WARNS, only(d, "platform.container").severity()));
  }

  @Test
  @DisplayName(
      "firmware describes an IOMMU and the kernel uses none: the cure is a word on the command line")
  void inactive() {
    HostFolder host =
        HostFolder.intel(root)
            .without("sys/class/iommu/dmar0")
            .without("sys/kernel/iommu_groups")
            .text("proc/cmdline", "quiet");
    Finding f = host.finding("iommu.active");
    assertAll(
        () -> assertEquals(Severity.BLOCKS, f.severity()),
        () -> assertTrue(f.cure().orElse("").contains("intel_iommu=on"), f::toString));
  }

  @Test
  @DisplayName(
      "a group mate with a host driver blocks the function, by name, driver and group; asked for together they do not")
  void mates() {
    HostFolder host =
        HostFolder.intel(root).function("0000:01:00.1", 7).driver("0000:01:00.1", "igb");
    Finding f = host.finding("group.not-viable");
    assertAll(
        () -> assertEquals(Severity.BLOCKS, f.severity()),
        () -> assertTrue(f.message().contains("0000:01:00.1 (igb)"), f.message()),
        () -> assertTrue(f.message().contains("group 7"), f.message()),
        () ->
            assertEquals(
                List.of(HostFolder.FUNCTION),
                f.functions().stream().map(Object::toString).toList()),
        () -> assertTrue(f.cure().orElse("").contains("driver_override"), f::toString),
        () -> assertEquals(Answer.NO, host.examine(HostFolder.FUNCTION).verdict().answer()),
        () ->
            assertEquals(
                Answer.YES, host.examine(HostFolder.FUNCTION, "0000:01:00.1").verdict().answer()));
  }

  @Test
  @DisplayName("variant drivers of VFIO, pci-stub and pcieport do not harm a group")
  void harmlessMates() {
    HostFolder host = HostFolder.intel(root).function("0000:01:00.1", 7);
    for (String driver : List.of("vfio-pci", "mlx5_vfio_pci", "pci-stub", "pcieport")) {
      assertFalse(has(host.driver("0000:01:00.1", driver).examine(), "group.not-viable"), driver);
    }
    for (String driver : List.of("my_vfio_net", "vfio")) {
      assertTrue(has(host.driver("0000:01:00.1", driver).examine(), "group.not-viable"), driver);
    }
    host.text("sys/bus/pci/devices/0000:01:00.1/vfio-dev/vfio0/dev", "511:0\n");
    assertFalse(
        has(host.examine(), "group.not-viable"), "the kernel shows that VFIO holds the function");
  }

  @Test
  @DisplayName("a direct region (RMRR) keeps its group from users; a relaxable one does not")
  void directRegion() {
    HostFolder host = HostFolder.intel(root);
    host.text(
        "sys/kernel/iommu_groups/7/reserved_regions",
        "0x00000000ad800000 0x00000000afffffff direct\n");
    Finding f = host.finding("group.direct-region");
    assertTrue(f.message().contains("[0xad800000, 0xafffffff]"), f.message());
    assertEquals(Answer.NO, host.examine().verdict().answer());
    host.text(
        "sys/kernel/iommu_groups/7/reserved_regions",
        "0x00000000ad800000 0x00000000afffffff direct-relaxable\n");
    assertEquals(Answer.YES, host.examine().verdict().answer());
  }

  @Test
  @DisplayName(
      "64 bytes of configuration space: whether it has MSI is unseen, and the answer conditional")
  void unprivilegedConfig() {
    HostFolder host = HostFolder.intel(root);
    byte[] header = new byte[64];
    header[0] = 1;
    header[6] = 0x10;
    header[0x34] = 0x40;
    host.bytes("sys/bus/pci/devices/" + HostFolder.FUNCTION + "/config", header);
    Finding unseen = host.finding("function.capabilities");
    assertFalse(unseen.isSeen());
    String cure = unseen.cure().orElse("");
    assertTrue(cure.startsWith("capture the host again as root"), cure);
    assertEquals(Answer.CONDITIONAL, host.examine().verdict().answer());
  }

  @Test
  @DisplayName(
      "a line of the log that refuses a function counts against it alone, until vfio-pci holds it")
  void refusedInLog() {
    HostFolder host =
        HostFolder.intel(root)
            .text(
                "dmesg.txt",
                "[ 1.0] vfio-pci 0000:01:00.0: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.\n");
    Finding f = host.finding("function.refused");
    assertEquals("dmesg.txt+0x0", f.source().toString());
    assertFalse(has(host.driver(HostFolder.FUNCTION, "vfio-pci").examine(), "function.refused"));
  }

  @Test
  @DisplayName("locked memory: CAP_IPC_LOCK lifts a small limit, without it the figure is named")
  void lockedMemory() {
    HostFolder host =
        HostFolder.intel(root)
            .text(
                "proc/self/limits",
                "Limit Soft Limit Hard Limit Units\nMax locked memory         8388608              8388608              bytes     \n")
            .text("proc/self/status", "Name:\tx\nCapEff:\t0000000000000000\n");
    assertAll(
        () -> assertEquals(Severity.WARNS, host.finding("limit.memlock").severity()),
        () -> assertTrue(host.finding("limit.memlock").message().contains("8 MiB")),
        () ->
            assertEquals(
                Severity.FINE,
                host.text("proc/self/status", "CapEff:\t0000000000004000\n")
                    .finding("limit.memlock")
                    .severity()));
  }

  @Test
  @DisplayName(
      "a node that this user may not open is named with its mode, and one that is missing as missing")
  void nodes() {
    HostFolder host = HostFolder.intel(root).driver(HostFolder.FUNCTION, "vfio-pci");
    assertTrue(host.finding("access.group").message().contains("there is no /dev/vfio/7"));
    host.text("dev-nodes.txt", "/dev/vfio/vfio 666 0:0 rw\n/dev/vfio/7 600 0:0 no-access\n");
    Finding f = host.finding("access.group");
    assertTrue(f.message().contains("/dev/vfio/7 (mode 600 0:0) cannot be opened"), f.message());
    assertTrue(has(host.text("dev-nodes.txt", "/dev/kvm\n").examine(), "access.container"));
  }

  @Test
  @DisplayName(
      "/.dockerenv in the kernel's first namespaces is the trace of an image, not a container")
  void imageOfContainer() {
    HostFolder host = HostFolder.intel(root).text(".dockerenv", "");
    assertEquals(Severity.WARNS, host.finding("platform.container").severity());
  }

  @Test
  @DisplayName("a virtual machine without an IOMMU is told to look at its hypervisor")
  void virtualMachine() {
    Finding f =
        HostFolder.intel(root).text("sys/class/dmi/id/sys_vendor", "QEMU\n").finding("platform.vm");
    assertEquals(Severity.FINE, f.severity());
    HostFolder bare =
        new HostFolder(root)
            .without("sys/firmware/acpi/tables/DMAR")
            .without("sys/kernel/iommu_groups")
            .without("sys/class/iommu");
    assertEquals(Severity.WARNS, bare.finding("platform.vm").severity());
  }

  @Test
  @DisplayName("garbage in every file ends in findings, never in an exception")
  void garbage() {
    String noise = "\0\u00ff\n= : [x] 0x\t\"\n--\n";
    HostFolder host = HostFolder.intel(root);
    for (String path :
        List.of(
            "proc/cmdline",
            "proc/modules",
            "proc/interrupts",
            "proc/version",
            "dmesg.txt",
            "dev-nodes.txt",
            "unread.txt",
            "proc/self/limits",
            "proc/self/status",
            "proc/cpuinfo",
            "sys/firmware/acpi/tables/DMAR",
            "sys/kernel/iommu_groups/7/reserved_regions",
            "sys/kernel/iommu_groups/7/name",
            "sys/class/iommu/dmar0/intel-iommu/ecap",
            "sys/class/dmi/id/sys_vendor",
            "sys/module/vfio_iommu_type1/parameters/dma_entry_limit")) {
      host.text(path, noise);
    }
    assertFalse(host.examine().findings().isEmpty());
  }
}
