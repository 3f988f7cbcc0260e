package dev.doorbell.doctor;

import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/// A made-up host, file by file.
final class HostFolder {
  static final String FUNCTION = "0000:01:00.0";
  private static final int MSI_AT = 0x40;

  private final Path root;

  HostFolder(Path root) {
    this.root = root;
  }

  /// {@return an x86 host with VT-d, interrupt remapping, VFIO and one function in a group of its own}
  static HostFolder intel(Path root) {
    return new HostFolder(root)
        .table("DMAR", 1)
        .table("APIC", 0)
        .config("VFIO=m", "VFIO_PCI=m", "VFIO_IOMMU_TYPE1=m", "INTEL_IOMMU=y", "IRQ_REMAP=y")
        .config("KVM=m", "PCI_MSI=y", "PCI_IOV=y", "MODULES=y")
        .text("proc/cmdline", "root=/dev/sda1 intel_iommu=on")
        .text("proc/modules", "vfio_pci 1 0 - Live 0x0\n")
        .text("proc/interrupts", "  CPU0\n 30: 1 IR-PCI-MSIX-0000:01:00.0 0-edge eth0\n")
        .text("sys/class/iommu/dmar0/intel-iommu/ecap", "f00f4e\n")
        .text("dev-nodes.txt", "/dev/vfio/vfio 666 0:0 rw\n")
        .function(FUNCTION, 7);
  }

  HostFolder text(String path, String text) {
    return bytes(path, text.getBytes(StandardCharsets.ISO_8859_1));
  }

  HostFolder bytes(String path, byte[] bytes) {
    try {
      Path file = root.resolve(path);
      Path folder = file.getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      Files.write(file, bytes);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  HostFolder without(String path) {
    try (var files = Files.walk(root.resolve(path))) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A table whose byte 37 (the DMAR's flags) has a value.
  HostFolder table(String signature, int flags) {
    byte[] table = new byte[48];
    System.arraycopy(signature.getBytes(StandardCharsets.US_ASCII), 0, table, 0, 4);
    table[4] = (byte) table.length;
    table[8] = 1;
    System.arraycopy("ACME  BOARD   ".getBytes(StandardCharsets.US_ASCII), 0, table, 10, 14);
    table[37] = (byte) flags;
    byte sum = 0;
    for (byte b : table) {
      sum += b;
    }
    table[9] = (byte) -sum;
    return bytes("sys/firmware/acpi/tables/" + signature, table);
  }

  /// Adds options to `proc/config.gz`.
  HostFolder config(String... options) {
    try {
      Path file = root.resolve("config.plain");
      String before = Files.exists(file) ? Files.readString(file) : "";
      StringBuilder text = new StringBuilder(before);
      Arrays.stream(options).forEach(o -> text.append("CONFIG_").append(o).append('\n'));
      Files.writeString(file, text);
      ByteArrayOutputStream packed = new ByteArrayOutputStream();
      try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
        out.write(text.toString().getBytes(StandardCharsets.US_ASCII));
      }
      return bytes("proc/config.gz", packed.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// An endpoint with one MSI vector.
  HostFolder function(String sbdf, int group) {
    byte[] config = new byte[256];
    config[0] = (byte) 0x86;
    config[1] = (byte) 0x80;
    config[2] = 0x21;
    config[3] = 0x15;
    config[6] = 0x10;
    config[0x0b] = 2;
    config[0x34] = MSI_AT;
    config[MSI_AT] = 5;
    config[MSI_AT + 2] = (byte) 0x80;
    String number = Integer.toString(group);
    return bytes("sys/bus/pci/devices/" + sbdf + "/config", config)
        .text(
            "sys/bus/pci/devices/" + sbdf + "/iommu_group",
            "../../../../kernel/iommu_groups/" + number)
        .text("sys/kernel/iommu_groups/" + number + "/type", "DMA\n")
        .text(
            "sys/kernel/iommu_groups/" + number + "/reserved_regions",
            "0x00000000fee00000 0x00000000feefffff msi\n")
        .text(
            "sys/kernel/iommu_groups/" + number + "/devices/" + sbdf,
            "../../../../bus/pci/devices/" + sbdf);
  }

  /// Makes a function one of another class.
  ///
  /// @param code base class and sub-class
  HostFolder subclass(String sbdf, int code) {
    String path = "sys/bus/pci/devices/" + sbdf + "/config";
    try {
      byte[] config = Files.readAllBytes(root.resolve(path));
      config[0x0a] = (byte) code;
      config[0x0b] = (byte) (code >>> 8);
      return bytes(path, config);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  HostFolder driver(String sbdf, String name) {
    return text("sys/bus/pci/devices/" + sbdf + "/driver", "../../../../bus/pci/drivers/" + name);
  }

  Diagnosis examine(String... asked) {
    Sysroot sysroot = Sysroot.open(root);
    return Doctor.examine(
        sysroot,
        Survey.of(Firmware.read(sysroot)),
        List.of(asked).stream().map(Sbdf::parse).toList());
  }

  /// {@return the one finding of an id}
  Finding finding(String id) {
    List<Finding> some = examine().findings().stream().filter(f -> f.id().equals(id)).toList();
    if (some.size() != 1) {
      throw new AssertionError(
          "%d findings %s in %s".formatted(some.size(), id, examine().findings()));
    }
    return some.getFirst();
  }
}
