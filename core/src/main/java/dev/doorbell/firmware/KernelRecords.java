package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the captured kernel wrote down about groups, interrupts and its command line.
///
/// **Source**: Linux `Documentation/ABI/testing/sysfs-kernel-iommu_groups`; `proc(5)`.
final class KernelRecords {
  static final Recorded NONE = new Recorded(List.of(), false, List.of(), Optional.empty());
  private static final String GROUPS = "sys/kernel/iommu_groups";
  private static final String INTERRUPTS = "proc/interrupts";
  private static final int TEXT_LIMIT = 1024 * 1024;
  private static final int INTERRUPTS_LIMIT = 64 * 1024 * 1024;
  private static final int MAX_INTERRUPTS = 65_536;
  private static final Pattern LINE = Pattern.compile("\\s*([0-9]{1,9}):\\s+(.*)");

  /// Linux's software MSI window on Arm (`MSI_IOVA_BASE`, `MSI_IOVA_LENGTH` in its SMMU and virtio-iommu drivers), printed
  /// in sysfs by the same word as a hardware MSI region.
  private static final AddressRange LINUX_SW_MSI = new AddressRange(0x800_0000, 0x80f_ffff);

  private final Sysroot sysroot;
  private final Findings findings;

  private KernelRecords(Sysroot sysroot, Findings findings) {
    this.sysroot = sysroot;
    this.findings = findings;
  }

  static Recorded read(Sysroot sysroot, Findings findings) {
    KernelRecords records = new KernelRecords(sysroot, findings);
    boolean seen = sysroot.isFolder(GROUPS);
    if (!seen) {
      findings.unseen(
          "groups and reserved regions as the kernel recorded them",
          "there is no " + GROUPS,
          "the derived ones have no second source");
    }
    return new Recorded(
        records.groups(),
        seen,
        records.interrupts(),
        sysroot.text("proc/cmdline", TEXT_LIMIT).map(String::strip).map(Printable::of));
  }

  private List<Recorded.Group> groups() {
    List<Recorded.Group> out = new ArrayList<>();
    for (String name : sysroot.list(GROUPS).orElse(List.of())) {
      String folder = GROUPS + "/" + name;
      if (!name.matches("[0-9]{1,9}")) {
        findings.odd("'" + name + "' is not a group's number", Source.file(GROUPS));
        continue;
      }
      List<Sbdf> functions =
          sysroot.list(folder + "/devices").orElse(List.of()).stream()
              .flatMap(n -> PciFunctions.sbdf(n).stream())
              .sorted()
              .toList();
      out.add(
          new Recorded.Group(
              Integer.parseInt(name),
              word(folder + "/name"),
              functions,
              word(folder + "/type"),
              regions(folder + "/reserved_regions"),
              Source.file(folder)));
    }
    out.sort((a, b) -> Integer.compare(a.number(), b.number()));
    return out;
  }

  private String word(String path) {
    return Printable.of(sysroot.text(path, TEXT_LIMIT).map(String::strip).orElse(""));
  }

  private List<ReservedRegion> regions(String path) {
    List<ReservedRegion> out = new ArrayList<>();
    int number = 0;
    for (String line : sysroot.text(path, TEXT_LIMIT).orElse("").lines().toList()) {
      number++;
      String[] parts = line.strip().split("\\s+");
      Optional<AddressRange> range =
          parts.length == 3 ? range(parts[0], parts[1]) : Optional.empty();
      Optional<ReservedRegion.Kind> kind =
          parts.length == 3 ? kind(parts[2], range) : Optional.empty();
      if (range.isPresent() && kind.isPresent()) {
        out.add(new ReservedRegion(range.get(), kind.get(), Source.file(path)));
      } else if (!line.isBlank()) {
        findings.odd(
            "line %d is not 'start end kind': '%s'".formatted(number, line.strip()),
            Source.file(path));
      }
    }
    return out;
  }

  private static Optional<AddressRange> range(String start, String last) {
    if (!start.startsWith("0x") || !last.startsWith("0x")) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new AddressRange(
              Long.parseUnsignedLong(start.substring(2), 16),
              Long.parseUnsignedLong(last.substring(2), 16)));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Optional<ReservedRegion.Kind> kind(String word, Optional<AddressRange> range) {
    if (word.equals("msi") && range.equals(Optional.of(LINUX_SW_MSI))) {
      return Optional.of(ReservedRegion.Kind.SW_MSI);
    }
    for (ReservedRegion.Kind kind : ReservedRegion.Kind.values()) {
      if (kind.printed().equals(word)) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }

  /// Lines `irq: count… chip hwirq trigger action`, one count for each CPU that the first line names.
  private List<Recorded.Interrupt> interrupts() {
    List<Recorded.Interrupt> out = new ArrayList<>();
    List<String> lines =
        sysroot.read(INTERRUPTS, INTERRUPTS_LIMIT) instanceof Contents.Present(Blob blob)
            ? blob.latin1().lines().toList()
            : List.of();
    int cpus = 0;
    long at = 0;
    for (String line : lines) {
      Matcher m = LINE.matcher(line);
      if (line.contains("CPU") && cpus == 0) {
        cpus = line.strip().split("\\s+").length;
      } else if (cpus > 0 && line.contains("MSI") && m.matches() && out.size() < MAX_INTERRUPTS) {
        interrupt(Integer.parseInt(m.group(1)), m.group(2).split("\\s+"), cpus, at)
            .ifPresent(out::add);
      }
      at += line.length() + 1;
    }
    return out;
  }

  private Optional<Recorded.Interrupt> interrupt(int irq, String[] words, int cpus, long at) {
    Source source = Source.at(INTERRUPTS, at);
    if (words.length < cpus + 2) {
      findings.odd(
          "the line of interrupt %d has fewer than %d counts".formatted(irq, cpus), source);
      return Optional.empty();
    }
    long count = 0;
    for (int i = 0; i < cpus; i++) {
      if (!words[i].matches("[0-9]{1,18}")) {
        findings.odd("'%s' is not a count of interrupt %d".formatted(words[i], irq), source);
        return Optional.empty();
      }
      count += Long.parseLong(words[i]);
    }
    StringBuilder action = new StringBuilder();
    for (int i = cpus + 2; i < words.length; i++) {
      action.append(action.isEmpty() ? "" : " ").append(words[i]);
    }
    String trigger = action.toString();
    int space = trigger.indexOf(' ');
    boolean named = trigger.startsWith("Edge") || trigger.startsWith("Level");
    String who = named ? space < 0 ? "" : trigger.substring(space + 1) : trigger;
    return Optional.of(
        new Recorded.Interrupt(
            irq,
            Printable.of(words[cpus]),
            Printable.of(words[cpus + 1]),
            Printable.of(who),
            count,
            source));
  }
}
