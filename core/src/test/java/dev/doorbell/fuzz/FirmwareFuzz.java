package dev.doorbell.fuzz;

import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.survey.Survey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Firmware tables, device trees, configuration spaces and the kernel's texts, read as a captured machine's.
public final class FirmwareFuzz {
  static final List<String> TABLES =
      List.of("APIC", "DMAR", "IORT", "IVRS", "MCFG", "RIMT", "VIOT");
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");
  private static final List<String> TEXTS =
      List.of("proc/iomem", "proc/interrupts", "proc/cmdline", "dmesg.txt");
  private static final int FOUR_KIB = 4096;

  private FirmwareFuzz() {}

  static void table(String name, byte[] input) throws IOException {
    read("sys/firmware/acpi/tables/" + name, input);
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

  private static void read(String file, byte[] content) throws IOException {
    Path root =
        Files.isDirectory(SHARED_MEMORY)
            ? Files.createTempDirectory(SHARED_MEMORY, "doorbell-fuzz")
            : Files.createTempDirectory("doorbell-fuzz");
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
