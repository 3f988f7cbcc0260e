package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// PCI functions and root buses, from sysfs and from a dump beside it.
///
/// @param roots root buses that sysfs shows, by segment
record PciFunctions(
    List<FunctionDescription> functions, SortedMap<Integer, TreeSet<Integer>> roots) {
  static final PciFunctions NONE = new PciFunctions(List.of(), new TreeMap<>());
  private static final String DEVICES = "sys/bus/pci/devices";
  static final String DUMP = "lspci-xxxx.txt";
  private static final int CONFIG_LIMIT = CapabilityLayout.EXTENDED_BYTES;
  private static final int TEXT_LIMIT = 64 * 1024;
  static final int DUMP_LIMIT = 64 * 1024 * 1024;
  private static final int MAX_DEPTH = 24;
  private static final Pattern ROOT = Pattern.compile("pci([0-9a-f]{4,8}):([0-9a-f]{2})");
  private static final Pattern FUNCTION =
      Pattern.compile("[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]");
  private static final long IORESOURCE_IO = 0x100;
  private static final long IORESOURCE_MEM = 0x200;
  private static final int STANDARD_RESOURCES = 7;
  private static final int WITH_IOV_RESOURCES = 13;

  static PciFunctions read(Sysroot sysroot, Optional<Blob> rootFile, Findings findings) {
    SortedMap<Sbdf, FunctionDescription> found = new TreeMap<>();
    SortedMap<Integer, TreeSet<Integer>> roots = new TreeMap<>();
    Map<Sbdf, String> folders =
        sysroot.exists(DEVICES) ? byBus(sysroot, findings) : byTree(sysroot, findings);
    folders.forEach((sbdf, folder) -> found.put(sbdf, function(sysroot, sbdf, folder, findings)));
    for (String folder : folders.values()) {
      sysroot.canonical(folder).ifPresent(c -> noteRoot(c, roots));
    }
    fromDump(sysroot, found, findings);
    rootFile
        .filter(b -> b.size() < 4 || b.u8(0) < 0x80 && !b.text(0, 4).matches("[A-Z]{4}"))
        .ifPresent(b -> addDump(b, found, findings));
    if (found.isEmpty()) {
      findings.unseen(
          "PCI functions",
          "there is neither " + DEVICES + " nor " + DUMP,
          "functions, groups and vectors are not known");
    }
    return new PciFunctions(List.copyOf(found.values()), roots);
  }

  private static void noteRoot(String canonical, SortedMap<Integer, TreeSet<Integer>> roots) {
    for (String part : canonical.split("/")) {
      Matcher m = ROOT.matcher(part);
      if (m.matches()) {
        long segment = Long.parseLong(m.group(1), 16);
        if (segment <= Integer.MAX_VALUE) {
          roots
              .computeIfAbsent((int) segment, s -> new TreeSet<>())
              .add(Integer.parseInt(m.group(2), 16));
        }
        return;
      }
    }
  }

  private static Map<Sbdf, String> byBus(Sysroot sysroot, Findings findings) {
    Map<Sbdf, String> out = new TreeMap<>();
    Optional<List<String>> names = sysroot.list(DEVICES);
    if (names.isEmpty()) {
      findings.unseen(
          "PCI functions",
          DEVICES + " is not readable",
          "functions, groups and vectors are not known");
    }
    for (String name : names.orElse(List.of())) {
      sbdf(name)
          .ifPresentOrElse(
              s -> out.put(s, DEVICES + "/" + name),
              () -> findings.odd("'" + name + "' is not a PCI function", Source.file(DEVICES)));
    }
    return out;
  }

  /// Where only `sys/devices` was captured: folders named like functions below root buses.
  private static Map<Sbdf, String> byTree(Sysroot sysroot, Findings findings) {
    Map<Sbdf, String> out = new TreeMap<>();
    Set<String> level = new LinkedHashSet<>();
    for (String name : sysroot.list("sys/devices").orElse(List.of())) {
      if (ROOT.matcher(name).matches()) {
        level.add("sys/devices/" + name);
      }
    }
    for (int depth = 0; depth < MAX_DEPTH && !level.isEmpty(); depth++) {
      Set<String> next = new LinkedHashSet<>();
      for (String folder : level) {
        for (String name : sysroot.list(folder).orElse(List.of())) {
          String path = folder + "/" + name;
          if (FUNCTION.matcher(name).matches()
              && out.size() < 65_536
              && sysroot.exists(path + "/config")) {
            sbdf(name).ifPresent(s -> out.putIfAbsent(s, path));
            next.add(path);
          }
        }
      }
      level = next;
    }
    if (!level.isEmpty()) {
      findings.odd(
          "functions are nested more than " + MAX_DEPTH + " deep", Source.file("sys/devices"));
    }
    return out;
  }

  private static FunctionDescription function(
      Sysroot sysroot, Sbdf sbdf, String folder, Findings findings) {
    String path = folder + "/config";
    byte[] config =
        switch (sysroot.read(path, CONFIG_LIMIT)) {
          case Contents.Present(Blob blob) -> blob.copy(0, blob.size());
          case Contents.Absent() -> {
            findings.unseen(
                "configuration space of " + sbdf,
                "there is no " + path,
                "its capabilities are not known");
            yield new byte[0];
          }
          case Contents.Unreadable(String why) -> {
            findings.unseen(
                "configuration space of " + sbdf, why, "its capabilities are not known");
            yield new byte[0];
          }
        };
    if (config.length > 0 && config.length <= 64) {
      findings.unseen(
          "capabilities of " + sbdf,
          "%s has %d bytes (an unprivileged capture has 64)".formatted(path, config.length),
          "its vectors are not known");
    }
    return new FunctionDescription(
        sbdf,
        ConfigImage.of(config, path),
        resources(sysroot, folder + "/resource", findings),
        sysroot.linkName(folder + "/physfn").flatMap(PciFunctions::sbdf),
        sysroot.linkName(folder + "/driver").map(Printable::of),
        group(sysroot, folder),
        false,
        Source.file(path));
  }

  private static OptionalInt group(Sysroot sysroot, String folder) {
    return sysroot
        .linkName(folder + "/iommu_group")
        .filter(n -> n.matches("[0-9]{1,9}"))
        .map(n -> OptionalInt.of(Integer.parseInt(n)))
        .orElse(OptionalInt.empty());
  }

  /// Lines `start end flags`: BARs 0 to 5, ROM, VF BARs when the kernel has SR-IOV, then the windows of a bridge.
  private static List<FunctionDescription.Bar> resources(
      Sysroot sysroot, String path, Findings findings) {
    List<FunctionDescription.Bar> out = new ArrayList<>();
    Optional<String> text = sysroot.text(path, TEXT_LIMIT);
    if (text.isEmpty()) {
      return out;
    }
    List<String> lines = text.get().lines().filter(l -> !l.isBlank()).toList();
    int bars =
        lines.size() >= WITH_IOV_RESOURCES
            ? WITH_IOV_RESOURCES
            : Math.min(lines.size(), STANDARD_RESOURCES);
    for (int i = 0; i < bars; i++) {
      String[] parts = lines.get(i).strip().split("\\s+");
      try {
        bar(i, hex(parts, 0), hex(parts, 1), hex(parts, 2)).ifPresent(out::add);
      } catch (IllegalArgumentException e) {
        findings.odd(
            "line %d is not a range 'start end flags'".formatted(i + 1), Source.file(path));
      }
    }
    return out;
  }

  private static Optional<FunctionDescription.Bar> bar(
      int index, long start, long last, long flags) {
    boolean io = (flags & IORESOURCE_IO) != 0;
    boolean memory = (flags & IORESOURCE_MEM) != 0;
    return last == 0 || !io && !memory
        ? Optional.empty()
        : Optional.of(new FunctionDescription.Bar(index, new AddressRange(start, last), io));
  }

  private static long hex(String[] parts, int index) {
    if (index >= parts.length || !parts[index].startsWith("0x")) {
      throw new NumberFormatException("no hexadecimal number");
    }
    return Long.parseUnsignedLong(parts[index].substring(2), 16);
  }

  private static void fromDump(
      Sysroot sysroot, SortedMap<Sbdf, FunctionDescription> found, Findings findings) {
    sysroot
        .read(DUMP, DUMP_LIMIT)
        .blob(why -> findings.unseen("functions of " + DUMP, why, "they are not known"))
        .ifPresent(blob -> addDump(blob, found, findings));
  }

  static void addDump(Blob dump, SortedMap<Sbdf, FunctionDescription> found, Findings findings) {
    LspciDump.read(dump, findings)
        .forEach((sbdf, f) -> {
          FunctionDescription known = found.get(sbdf);
          if (known == null || known.config().size() < f.config().size()) {
            found.put(
                sbdf,
                new FunctionDescription(
                    sbdf,
                    f.config(),
                    known == null ? List.of() : known.resources(),
                    known == null ? Optional.empty() : known.physicalFunction(),
                    known == null ? Optional.empty() : known.driver(),
                    known == null ? OptionalInt.empty() : known.recordedGroup(),
                    false,
                    f.source()));
          }
        });
  }

  static Optional<Sbdf> sbdf(String name) {
    try {
      return FUNCTION.matcher(name.toLowerCase(Locale.ROOT)).matches()
          ? Optional.of(Sbdf.parse(name))
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
