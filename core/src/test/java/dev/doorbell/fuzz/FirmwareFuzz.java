package dev.doorbell.fuzz;

import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.doctor.Doctor;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.survey.Survey;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/// Firmware tables, device trees, configuration spaces and the kernel's texts, read as a captured machine's.
public final class FirmwareFuzz {
  static final List<String> TABLES =
      List.of("APIC", "DMAR", "HPET", "IORT", "IVRS", "MCFG", "RIMT", "VIOT");
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");
  private static final List<String> TEXTS =
      List.of("proc/iomem", "proc/interrupts", "proc/cmdline", "dmesg.txt");

  /// Texts that the doctor reads besides, and the kernel's configuration, which is compressed here.
  private static final List<String> ASKED =
      List.of(
          "proc/config.gz",
          "proc/cpuinfo",
          "proc/modules",
          "proc/self/limits",
          "proc/self/status",
          "proc/self/cgroup",
          "proc/1/cgroup",
          "proc/version",
          "proc/sys/kernel/osrelease",
          "proc/cmdline",
          "dmesg.txt",
          "dev-nodes.txt",
          "unread.txt",
          "sys/class/dmi/id/sys_vendor",
          "sys/hypervisor/type",
          "sys/kernel/iommu_groups/0/type",
          "sys/kernel/iommu_groups/0/reserved_regions");

  private static final byte RECORD_END = '\f';
  private static final int FOUR_KIB = 4096;
  private static final int MOST_FILES = 24;

  /// Which of 256 kinds of a file are links, and which folders.
  private static final int LINKS = 200;

  private static final int FOLDERS = 250;

  /// Places in a sysroot that something reads.
  private static final List<String> FILES =
      List.of(
          "acpidump.txt",
          "dev-nodes.txt",
          "dmesg.txt",
          "lspci-xxxx.txt",
          "unread.txt",
          "proc/cmdline",
          "proc/config.gz",
          "proc/cpuinfo",
          "proc/interrupts",
          "proc/iomem",
          "proc/meminfo",
          "proc/modules",
          "proc/self/limits",
          "proc/self/status",
          "sys/firmware/acpi/tables/APIC",
          "sys/firmware/acpi/tables/MCFG",
          "sys/firmware/acpi/tables/IORT",
          "sys/firmware/fdt",
          "sys/firmware/devicetree/base/compatible",
          "sys/firmware/devicetree/base/pcie@0/reg",
          "sys/firmware/devicetree/base/pcie@0/device_type",
          "sys/bus/pci/devices",
          "sys/bus/pci/devices/0000:00:01.0",
          "sys/bus/pci/devices/0000:00:01.0/config",
          "sys/bus/pci/devices/0000:00:01.0/resource",
          "sys/bus/pci/devices/0000:00:01.0/driver",
          "sys/bus/pci/devices/0000:00:01.0/iommu_group",
          "sys/bus/pci/devices/0000:00:01.0/numa_node",
          "sys/bus/pci/devices/0000:00:01.0/reset_method",
          "sys/bus/pci/devices/0000:00:02.0/config",
          "sys/devices/pci0000:00/0000:00:02.0/config",
          "sys/kernel/iommu_groups/0/reserved_regions",
          "sys/kernel/iommu_groups/0/type",
          "sys/kernel/iommu_groups/0/devices/0000:00:01.0",
          "sys/kernel/iommu_groups/1/devices/0000:00:02.0",
          "sys/class/iommu/dmar0/intel-iommu/ecap",
          "sys/class/iommu/dmar0/intel-iommu/cap",
          "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
          "sys/hypervisor/type");

  private FirmwareFuzz() {}

  static void table(String name, byte[] input) throws IOException {
    read("sys/firmware/acpi/tables/" + name, input);
  }

  /// A table whose writer is `acpidump`.
  static void dump(byte[] input) throws IOException {
    read("acpidump.txt", input);
  }

  /// What the doctor makes of a host's texts: the first of them is the kernel's configuration, form feeds lie between.
  static void asked(byte[] input) throws IOException {
    Path root = folder();
    try {
      Files.createDirectories(root.resolve("sys/bus/pci/devices"));
      int from = 0;
      for (int i = 0, at = 0; i < ASKED.size() && at < input.length; at++) {
        if (input[at] == RECORD_END || at == input.length - 1) {
          int end = input[at] == RECORD_END ? at : at + 1;
          place(root, ASKED.get(i++), java.util.Arrays.copyOfRange(input, from, end));
          from = at + 1;
        }
      }
      Sysroot read = Sysroot.open(root);
      MachineDescription machine = Firmware.read(read);
      sound(machine);
      Doctor.examine(read, Survey.of(machine), List.of());
    } finally {
      remove(root);
    }
  }

  private static void place(Path root, String file, byte[] content) throws IOException {
    if (content.length == 0) {
      return;
    }
    Path at = root.resolve(file);
    Files.createDirectories(at.getParent());
    Files.write(at, file.endsWith(".gz") ? compressed(content) : content);
  }

  private static byte[] compressed(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(content);
    }
    return out.toByteArray();
  }

  static void tree(byte[] input) throws IOException {
    read("sys/firmware/fdt", input);
  }

  static void lspci(byte[] input) throws IOException {
    read("lspci-xxxx.txt", input);
  }

  static void config(byte[] input) throws IOException {
    byte[] space = java.util.Arrays.copyOf(input, Math.min(input.length, FOUR_KIB));
    read("sys/bus/pci/devices/0000:00:01.0/config", space);
  }

  static void texts(byte[] input) throws IOException {
    FuzzInput in = new FuzzInput(input);
    String name = TEXTS.get(in.next8() % TEXTS.size());
    byte[] rest = input.length == 0 ? input : java.util.Arrays.copyOfRange(input, 1, input.length);
    read(name, rest);
  }

  /// Several files and links of any content, also links that lead in circles or out of the root; and what the doctor makes of them.
  static void sysroot(byte[] input) throws IOException {
    FuzzInput in = new FuzzInput(input);
    Path root = folder();
    try {
      for (int i = 0; i < MOST_FILES && !in.isEmpty(); i++) {
        Path at = root.resolve(FILES.get(in.next8() % FILES.size()));
        int kind = in.next8();
        byte[] content = in.next(kind < LINKS ? in.next16() : in.next8());
        try {
          place(at, kind, content);
        } catch (IOException | InvalidPathException e) {
          // A file stands where a folder should be, or the system does not have such a name.
          continue;
        }
      }
      Sysroot read = Sysroot.open(root);
      MachineDescription machine = Firmware.read(read);
      sound(machine);
      Doctor.examine(read, Survey.of(machine), List.of());
    } finally {
      remove(root);
    }
  }

  private static void place(Path at, int kind, byte[] content) throws IOException {
    Files.createDirectories(at.getParent());
    if (kind < LINKS) {
      Files.write(at, content);
    } else if (kind < FOLDERS) {
      Files.createSymbolicLink(at, Path.of(new String(content, StandardCharsets.ISO_8859_1)));
    } else {
      Files.createDirectories(at);
    }
  }

  private static Path folder() throws IOException {
    return Files.isDirectory(SHARED_MEMORY)
        ? Files.createTempDirectory(SHARED_MEMORY, "doorbell-fuzz")
        : Files.createTempDirectory("doorbell-fuzz");
  }

  private static void remove(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(p);
      }
    }
  }

  private static void read(String file, byte[] content) throws IOException {
    Path root = folder();
    Path at = root.resolve(file);
    try {
      Files.createDirectories(at.getParent());
      Files.write(at, content);
      sound(Firmware.read(Sysroot.open(root)));
    } finally {
      for (Path p = at; !p.equals(root.getParent()); p = p.getParent()) {
        Files.deleteIfExists(p);
      }
    }
  }

  /// What a description promises whatever it was read from.
  private static void sound(MachineDescription m) {
    Survey survey = Survey.of(m);
    survey.oddities();
    survey.groups().forEach(survey::isolation);
    long ids = m.iommus().stream().map(i -> i.id()).distinct().count();
    if (ids != m.iommus().size()) {
      throw new IllegalStateException("two IOMMUs have one id");
    }
    for (HostBridge b : m.hostBridges()) {
      if (b.firstBus() > b.lastBus() || b.lastBus() > 255) {
        throw new IllegalStateException("buses of " + b);
      }
      if (b.streams().stream().anyMatch(s -> m.iommu(s.iommu()).isEmpty())) {
        throw new IllegalStateException("streams of no IOMMU: " + b.streams());
      }
    }
  }
}
