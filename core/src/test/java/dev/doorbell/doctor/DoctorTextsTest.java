package dev.doorbell.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.firmware.TreeBuilder;
import dev.doorbell.plan.Plan.Answer;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("doctor: cures that exist where they are told, and signs of kernels old and new")
class DoctorTextsTest {
  private static final String TABLES = "sys/firmware/acpi/tables";

  @TempDir private Path root = Path.of(".");

  private static boolean has(Diagnosis d, String id) {
    return d.findings().stream().anyMatch(f -> f.id().equals(id));
  }

  private HostFolder off() {
    return HostFolder.intel(root).text("proc/cmdline", "root=/dev/sda1 intel_iommu=off");
  }

  // spotless:off
  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      6.12.107+deb13-amd64 (debian-kernel@lists.debian.org) (Debian 14.2.0)           | update-grub and reboot
      6.8.0-45-generic (buildd@lcy02) (Ubuntu 13.2.0)                                 | update-grub and reboot
      6.8.12-1-pve (build@proxmox) (Debian 12.2.0)                                    | proxmox-boot-tool refresh
      6.11.4-301.fc41.x86_64 (mockbuild@x) (Red Hat 14.2.1)                           | grubby --update-kernel=ALL --args=intel_iommu=on
      5.14.0-503.el9.x86_64 (mockbuild@x) (Red Hat 11.5.0)                            | grubby --update-kernel=ALL --args=intel_iommu=on
      6.4.0-150600.21-default (geeko@buildhost) (SUSE 7.5.0)                          | grub2-mkconfig -o /boot/grub2/grub.cfg
      6.11.5-arch1-1 (linux@archlinux)                                                | grub-mkconfig -o /boot/grub/grub.cfg
      6.6.58 (nixbld@localhost)                                                       | boot.kernelParams
      6.12.0 (root@vm)                                                                | update-grub or grub2-mkconfig
      """)
  // spotless:on
  @DisplayName("an option of the command line is changed as the distribution does it")
  void bootLoaders(String version, String how) {
    String cure =
        off()
            .text("proc/version", "Linux version " + version + " #1 SMP")
            .finding("cmdline.off")
            .cure()
            .orElseThrow();
    assertTrue(cure.startsWith("boot with intel_iommu=on (") && cure.contains(how), cure);
  }

  @Test
  @DisplayName("an option that is to go is removed by grubby too")
  void removed() {
    String cure =
        HostFolder.intel(root)
            .text("proc/cmdline", "pci=nomsi")
            .text("proc/version", "Linux version 6.11.4-301.fc41.x86_64 (mockbuild@x) #1 SMP")
            .finding("cmdline.off")
            .cure()
            .orElseThrow();
    assertTrue(cure.contains("grubby --update-kernel=ALL --remove-args=pci=nomsi"), cure);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          QEMU            | -device intel-iommu
          VMware, Inc.    | vvtd.enable
          innotek GmbH    | --iommu=automatic
          Xen             | look at the host instead: no way is known
          Amazon EC2      | look at the host instead: no way is known
          """)
  @DisplayName("a virtual machine gets an IOMMU as its hypervisor gives one, where it does")
  void hypervisors(String vendor, String how) {
    HostFolder host =
        HostFolder.intel(root)
            .without(TABLES + "/DMAR")
            .without("sys/class/iommu")
            .without("sys/kernel/iommu_groups")
            .text("sys/class/dmi/id/sys_vendor", vendor + "\n");
    for (String id : new String[] {"firmware.iommu", "platform.vm"}) {
      String cure = host.finding(id).cure().orElseThrow();
      assertTrue(cure.contains(how), cure);
      assertFalse(cure.contains("firmware's setup"), cure);
    }
  }

  @Test
  @DisplayName("hardware is told of its own maker's IOMMU alone, and of no emulator")
  void maker() {
    HostFolder host =
        HostFolder.intel(root)
            .without(TABLES + "/DMAR")
            .without("sys/class/iommu")
            .without("sys/kernel/iommu_groups");
    assertTrue(host.finding("firmware.iommu").cure().orElseThrow().contains("or AMD's IOMMU"));
    String cure =
        host.function("0000:00:00.0", 1)
            .without("sys/kernel/iommu_groups")
            .finding("firmware.iommu")
            .cure()
            .orElseThrow();
    assertEquals(
        "turn on Intel VT-d in the firmware's setup, if processor and chipset have it", cure);
    String remapping =
        HostFolder.intel(root)
            .table("DMAR", 0)
            .without("proc/interrupts")
            .finding("interrupts.remapping")
            .cure()
            .orElseThrow();
    assertFalse(remapping.contains("QEMU"), remapping);
  }

  private HostFolder withoutGroups() {
    return HostFolder.intel(root).without("sys/class/iommu").without("sys/kernel/iommu_groups");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pci 0000:01:00.0: Adding to iommu group 7",
        "iommu: Adding device 0000:01:00.0 to group 7",
        "DMAR: Intel(R) Virtualization Technology for Directed I/O"
      })
  @DisplayName("a kernel tells in its log that it uses an IOMMU, before 5.3 in other words")
  void runs(String line) {
    Finding f =
        withoutGroups().text("dmesg.txt", "[    1.0] " + line + "\n").finding("iommu.active");
    assertEquals(Severity.FINE, f.severity());
    assertEquals("the kernel said: " + line, f.message());
  }

  @Test
  @DisplayName("a group that VFIO made up without an IOMMU is none, in the log as well")
  void madeUp() {
    Diagnosis d =
        withoutGroups()
            .text(
                "dmesg.txt",
                "[ 20.1] vfio-pci 0000:01:00.0: Adding to iommu group 0\n"
                    + "[ 20.2] vfio-pci 0000:01:00.0: Adding kernel taint for vfio-noiommu group on device\n")
            .examine();
    assertTrue(
        d.findings().stream()
            .anyMatch(f -> f.id().equals("iommu.active") && f.severity() == Severity.UNSEEN),
        d.findings()::toString);
  }

  @ParameterizedTest
  @CsvSource({"ACPI: FACP 00000000bcb6a700 0000F4 (v03), BLOCKS", "x, UNSEEN"})
  @DisplayName(
      "tables are known by the log of an old kernel, too, which writes addresses without 0x")
  void oldLog(String line, Severity severity) {
    Finding f =
        withoutGroups()
            .without(TABLES)
            .text("dmesg.txt", "[ 0.0] Linux version 3.13.0 x\n[ 0.0] %s\n".formatted(line))
            .finding("firmware.iommu");
    assertEquals(severity, f.severity(), f::message);
  }

  @Test
  @DisplayName("a log that begins late still shows a DMAR by what is said of it")
  void lateLog() {
    Finding f =
        withoutGroups()
            .without(TABLES)
            .text("dmesg.txt", "[  +0.000007] DMAR: No ATSR found\n")
            .finding("firmware.iommu");
    assertEquals(Severity.FINE, f.severity());
    assertEquals(
        "firmware describes Intel VT-d (DMAR): the kernel said: DMAR: No ATSR found", f.message());
  }

  @Test
  @DisplayName("a function that is an IOMMU is no function to assign")
  void iommuFunction() {
    HostFolder host = HostFolder.intel(root).function("0000:00:00.2", 3);
    assertEquals(Answer.YES, host.examine("0000:00:00.2").verdict().answer());
    host.subclass("0000:00:00.2", 0x0806);
    Diagnosis d = host.examine("0000:00:00.2");
    assertEquals(Answer.NO, d.verdict().answer());
    assertTrue(d.verdict().because().contains("is an IOMMU itself"), d.verdict()::toString);
  }

  @Test
  @DisplayName("regions to keep clear of name the file that told of them")
  void keepClear() {
    assertEquals(
        "sys/kernel/iommu_groups/7/reserved_regions",
        HostFolder.intel(root).finding("group.keep-clear").source().where());
  }

  @Test
  @DisplayName(
      "unsafe interrupts are allowed by iommufd's switch as well, and told by the one that is there")
  void iommufdAlone() {
    HostFolder host =
        HostFolder.intel(root)
            .table("DMAR", 0)
            .without("proc/interrupts")
            .text("sys/module/iommufd/parameters/allow_unsafe_interrupts", "N\n");
    Finding refused = host.finding("interrupts.remapping");
    assertEquals(Severity.BLOCKS, refused.severity());
    String cure = refused.cure().orElseThrow();
    assertTrue(
        cure.contains("echo 1 > /sys/module/iommufd/parameters/allow_unsafe_interrupts"), cure);
    host.text("sys/module/iommufd/parameters/allow_unsafe_interrupts", "Y\n");
    assertEquals(Severity.UNSAFE, host.finding("interrupts.remapping").severity());
  }

  @Test
  @DisplayName(
      "where the kernel's configuration may lie is told for distributions with and without config.gz")
  void configuration() {
    String cure =
        HostFolder.intel(root)
            .without("proc/config.gz")
            .without("config.plain")
            .without("proc/modules")
            .finding("kernel.config")
            .cure()
            .orElseThrow();
    assertTrue(cure.contains("/boot/config-$(uname -r)") && cure.contains("/proc/config.gz"), cure);
  }

  private HostFolder tree(String board, String status) {
    byte[] tree =
        TreeBuilder.machine()
            .text("compatible", board)
            .begin("cpus")
            .begin("cpu@0")
            .text("device_type", "cpu")
            .text("compatible", "arm,cortex-a53")
            .end()
            .end()
            .begin("iommu@1000")
            .text("compatible", "arm,smmu-v3")
            .text("status", status)
            .cells("#iommu-cells", 1)
            .cells("reg", 0, 0x1000, 0, 0x20000)
            .end()
            .end()
            .build();
    return new HostFolder(root).bytes("sys/firmware/fdt", tree).text("proc/iomem", "");
  }

  @Test
  @DisplayName(
      "an IOMMU that the device tree does not enable blocks where a kernel was booted with it, and is not to be seen else")
  void disabled() {
    HostFolder source = tree("acme,board", "disabled");
    Finding unseen = source.finding("firmware.iommu");
    assertEquals(Severity.UNSEEN, unseen.severity(), unseen::message);
    assertTrue(unseen.message().contains("/iommu@1000"), unseen::message);
    Finding blocks = source.text("proc/cmdline", "quiet").finding("firmware.iommu");
    assertEquals(Severity.BLOCKS, blocks.severity());
    assertTrue(blocks.cure().orElseThrow().contains("okay"));
  }

  @Test
  @DisplayName(
      "a machine of QEMU's is known by its device tree, and told of QEMU's options; others are not")
  void boards() {
    Diagnosis own = tree("acme,board", "okay").examine();
    assertFalse(has(own, "platform.vm"));
    assertTrue(has(tree("linux,dummy-virt", "okay").examine(), "platform.vm"));
  }
}
