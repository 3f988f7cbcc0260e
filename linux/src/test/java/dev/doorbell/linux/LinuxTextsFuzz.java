package dev.doorbell.linux;

import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.stream.Stream;

/// Files of sysfs, procfs and debugfs of any content: each question about them has an answer. The input is the files, with form feeds between them.
public final class LinuxTextsFuzz {
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");
  private static final Sbdf FUNCTION = Sbdf.parse("0000:01:00.0");
  private static final String DEVICE = "sys/bus/pci/devices/0000:01:00.0/";
  private static final int IRQ = 40;
  private static final int MOST_VECTORS = 2048;
  private static final List<String> FILES =
      List.of(
          "sys/kernel/irq/40/per_cpu_count",
          "sys/kernel/irq/40/hwirq",
          "sys/kernel/irq/40/actions",
          "sys/kernel/irq/40/chip_name",
          "proc/irq/40/effective_affinity_list",
          "sys/kernel/debug/irq/irqs/40",
          "sys/kernel/iommu_groups/7/reserved_regions",
          "proc/interrupts",
          "proc/self/limits",
          "proc/self/status",
          "proc/meminfo",
          DEVICE + "driver_override",
          "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
          "proc/self/auxv");

  private LinuxTextsFuzz() {}

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    Path root =
        Files.isDirectory(SHARED_MEMORY)
            ? Files.createTempDirectory(SHARED_MEMORY, "doorbell-fuzz")
            : Files.createTempDirectory("doorbell-fuzz");
    try {
      List<byte[]> parts = parts(input);
      for (int i = 0; i < parts.size(); i++) {
        write(root.resolve(FILES.get(i)), parts.get(i));
      }
      // The names of folders are the kernel's as well.
      write(root.resolve(DEVICE + "msi_irqs/40"), new byte[0]);
      name(root, DEVICE + "msi_irqs", parts.isEmpty() ? new byte[0] : parts.getFirst());
      name(root, "sys/kernel/iommu_groups", parts.isEmpty() ? new byte[0] : parts.getLast());
      ask(root);
    } finally {
      try (Stream<Path> all = Files.walk(root)) {
        for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(p);
        }
      }
    }
  }

  private static List<byte[]> parts(byte[] input) {
    List<byte[]> out = new ArrayList<>();
    int from = 0;
    for (int at = 0; at < input.length && out.size() < FILES.size() - 1; at++) {
      if (input[at] == '\f') {
        out.add(Arrays.copyOfRange(input, from, at));
        from = at + 1;
      }
    }
    out.add(Arrays.copyOfRange(input, from, input.length));
    return out;
  }

  private static void write(Path file, byte[] content) throws IOException {
    Files.createDirectories(file.getParent());
    Files.write(file, content);
  }

  private static void name(Path root, String folder, byte[] text) throws IOException {
    String name =
        new String(text, StandardCharsets.UTF_8)
            .replaceAll("[^0-9A-Za-z_.\\u0660-\\u0669-]", "")
            .strip();
    if (!name.isEmpty() && name.length() < 64 && !name.matches("\\.*")) {
      Path at = root.resolve(folder).resolve(name);
      if (!Files.exists(at)) {
        Files.createDirectories(at);
      }
    }
  }

  private static void ask(Path root) {
    LinuxOptions options = LinuxOptions.USUAL.at(root);
    HostFiles files = new HostFiles(root);
    for (int group : files.groups()) {
      files.functions(group);
      files.blockers(group);
      for (ReservedRegion region : files.reserved(group)) {
        if (Long.compareUnsigned(region.range().start(), region.range().last()) > 0) {
          throw new IllegalStateException("a region that ends before it begins: " + region);
        }
      }
    }
    files.group(FUNCTION);
    files.driverOverride(FUNCTION);
    files.isolation();
    for (LinuxOptions.Access a : LinuxOptions.Access.values()) {
      files.allowsUnsafeInterrupts(a);
    }
    files.pageBytes();
    LockedMemory locked = LockedMemory.of(files);
    locked.refused(1);
    if (locked.locked() < 0) {
      throw new IllegalStateException("locked memory of " + locked.locked());
    }
    HugePages.of(files).refused(Errno.EINVAL, 1);
    if (IrqDomains.of(files, IRQ) instanceof Seen.There<IrqDomains>(IrqDomains domains)) {
      domains.text();
      domains.last();
    }
    if (new KernelInterrupts(options).of(FUNCTION)
            instanceof
            Seen.There<SortedMap<Integer, KernelInterrupt>>(
                SortedMap<Integer, KernelInterrupt> found)
        && !found.isEmpty()
        && found.lastKey() >= Math.max(MOST_VECTORS, found.size())) {
      throw new IllegalStateException("vector %d of a function".formatted(found.lastKey()));
    }
  }
}
