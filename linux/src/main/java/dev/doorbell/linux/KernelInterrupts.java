package dev.doorbell.linux;

import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The kernel's interrupts of a function, and which vector each of them is. Read anew at each question.
///
/// **Source**: Linux `Documentation/ABI/testing/sysfs-bus-pci` (`msi_irqs`), `sysfs-kernel-irq`; `drivers/pci/msi` for the hardware numbers
public final class KernelInterrupts {
  /// Vectors of one function; hardware numbers of PCI MSI domains keep them in their low bits.
  private static final int VECTORS = 2048;

  /// How vfio-pci names its interrupts.
  private static final Pattern VFIO = Pattern.compile("vfio-msix?\\[(\\d{1,9})\\]\\(");

  private final HostFiles files;

  public KernelInterrupts(LinuxOptions options) {
    this.files = new HostFiles(options.root());
  }

  /// {@return interrupts by vector, ascending; not visible where sysfs does not tell}
  public Seen<SortedMap<Integer, KernelInterrupt>> of(Sbdf function) {
    String folder = HostFiles.device(function) + "/msi_irqs";
    List<KernelInterrupt> all = new ArrayList<>();
    for (String name : files.names(folder)) {
      if (!HostFiles.isNumber(name)) {
        continue;
      }
      Seen<KernelInterrupt> one = interrupt(Integer.parseInt(name));
      switch (one) {
        case Seen.There<KernelInterrupt>(KernelInterrupt k) -> all.add(k);
        case Seen.NotThere<KernelInterrupt> gone -> {
          // Freed since the folder was listed.
        }
        case Seen.NotVisible<KernelInterrupt>(String why) -> {
          return new Seen.NotVisible<>(why);
        }
      }
    }
    all.sort((a, b) -> Integer.compare(a.irq(), b.irq()));
    return new Seen.There<>(byVector(function, all));
  }

  private Seen<KernelInterrupt> interrupt(int irq) {
    String folder = "sys/kernel/irq/" + irq;
    return switch (files.look(folder + "/per_cpu_count")) {
      case Seen.There<String>(String counts) ->
          new Seen.There<>(
              new KernelInterrupt(
                  irq,
                  line(folder + "/chip_name").orElse("not seen"),
                  number(folder + "/hwirq"),
                  line(folder + "/actions").orElse(""),
                  sum(counts),
                  line("proc/irq/" + irq + "/effective_affinity_list").orElse("")));
      case Seen.NotThere<String> n ->
          files.names("sys/kernel/irq").isEmpty()
              ? new Seen.NotVisible<>("this kernel has no /sys/kernel/irq (CONFIG_SPARSE_IRQ)")
              : new Seen.NotThere<>();
      case Seen.NotVisible<String>(String why) -> new Seen.NotVisible<>(why);
    };
  }

  private Optional<String> line(String path) {
    return files.look(path).thing().map(String::strip).filter(t -> !t.isEmpty());
  }

  private OptionalLong number(String path) {
    return line(path)
        .filter(t -> t.matches("[0-9]{1,19}"))
        .map(t -> OptionalLong.of(Long.parseUnsignedLong(t)))
        .orElse(OptionalLong.empty());
  }

  private static long sum(String perCpu) {
    return Arrays.stream(perCpu.strip().split(",", -1))
        .map(String::strip)
        .filter(HostFiles::isCount)
        .mapToLong(Long::parseLong)
        .sum();
  }

  /// vfio-pci names the vector; a PCI MSI domain's hardware number has it in its low bits, above them nothing or the requester id; where
  /// neither helps the kernel took the numbers in order.
  private static SortedMap<Integer, KernelInterrupt> byVector(
      Sbdf function, List<KernelInterrupt> ascending) {
    SortedMap<Integer, KernelInterrupt> out = new TreeMap<>();
    for (KernelInterrupt k : ascending) {
      Matcher named = VFIO.matcher(k.actions());
      OptionalLong low =
          named.find() && Integer.parseInt(named.group(1)) < VECTORS
              ? OptionalLong.of(Long.parseLong(named.group(1)))
              : vectorIn(k.hwirq(), function);
      if (low.isEmpty() || out.putIfAbsent((int) low.getAsLong(), k) != null) {
        return inOrder(ascending);
      }
    }
    return out;
  }

  private static OptionalLong vectorIn(OptionalLong hwirq, Sbdf function) {
    if (hwirq.isEmpty()) {
      return hwirq;
    }
    long above = hwirq.getAsLong() / VECTORS;
    boolean ours = above == 0 || (above & 0xffff) == function.requesterId();
    return ours ? OptionalLong.of(hwirq.getAsLong() % VECTORS) : OptionalLong.empty();
  }

  private static SortedMap<Integer, KernelInterrupt> inOrder(List<KernelInterrupt> ascending) {
    SortedMap<Integer, KernelInterrupt> out = new TreeMap<>();
    ascending.forEach(k -> out.put(out.size(), k));
    return out;
  }
}
