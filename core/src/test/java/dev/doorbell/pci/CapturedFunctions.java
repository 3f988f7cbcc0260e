package dev.doorbell.pci;

import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The configuration spaces of captured machines, and the groups that their kernels recorded. A symbolic link may be stored as a file that holds
/// its target.
public final class CapturedFunctions {
  private static final Pattern HEX_LINE =
      Pattern.compile("([0-9a-f]{2,3}):((?: [0-9a-f]{2})+)\\s*");
  private static final Pattern DEVICE_LINE =
      Pattern.compile("((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])( .*)?");

  private CapturedFunctions() {}

  /// {@return every folder below the shared folder that has PCI functions in the layout of sysfs}
  public static List<Path> machines(String under) throws IOException {
    Path top = Shared.require(under);
    try (Stream<Path> found = Files.walk(top, 3)) {
      return found
          .filter(p -> Files.isDirectory(p.resolve("sys/bus/pci/devices")))
          .sorted()
          .toList();
    }
  }

  public static List<PciFunction> functions(Path machine) throws IOException {
    Path devices = machine.resolve("sys/bus/pci/devices");
    List<PciFunction> functions = new ArrayList<>();
    for (Path entry : list(devices)) {
      Path device = follow(entry);
      Path file = device.resolve("config");
      if (!Files.isRegularFile(file)) {
        continue;
      }
      Sbdf sbdf = Sbdf.parse(entry.getFileName().toString());
      ConfigImage image =
          ConfigImage.of(Files.readAllBytes(file), machine.relativize(file).toString());
      Optional<Sbdf> pf =
          link(device.resolve("physfn")).map(p -> Sbdf.parse(p.getFileName().toString()));
      functions.add(
          pf.isPresent()
              ? PciFunction.virtual(sbdf, image, image.where(), pf.get())
              : PciFunction.of(sbdf, image, image.where()));
    }
    return functions;
  }

  public static List<PciTopology.BusId> rootBuses(Path machine) throws IOException {
    Path devices = machine.resolve("sys/devices");
    List<PciTopology.BusId> roots = new ArrayList<>();
    Matcher m = Pattern.compile("pci([0-9a-f]{4,8}):([0-9a-f]{2})").matcher("");
    try (Stream<Path> found = Files.walk(devices, 4)) {
      for (Path p : found.toList()) {
        if (m.reset(p.getFileName().toString()).matches()) {
          roots.add(
              new PciTopology.BusId(
                  Integer.parseInt(m.group(1), 16), Integer.parseInt(m.group(2), 16)));
        }
      }
    }
    return roots;
  }

  /// {@return the folder of a function's attributes}
  public static Path device(Path machine, Sbdf sbdf) {
    return follow(machine.resolve("sys/bus/pci/devices").resolve(sbdf.toString()));
  }

  /// {@return recorded groups by number; empty when the capture has none}
  static TreeMap<Integer, Set<Sbdf>> recordedGroups(Path machine) throws IOException {
    TreeMap<Integer, Set<Sbdf>> groups = new TreeMap<>();
    Path folder = machine.resolve("sys/kernel/iommu_groups");
    if (!Files.isDirectory(folder)) {
      return groups;
    }
    for (Path g : list(folder)) {
      Path devices = g.resolve("devices");
      if (Files.isDirectory(devices)) {
        Set<Sbdf> members = new TreeSet<>();
        for (Path d : list(devices)) {
          members.add(Sbdf.parse(d.getFileName().toString()));
        }
        groups.put(Integer.parseInt(g.getFileName().toString()), members);
      }
    }
    return groups;
  }

  /// {@return the spaces that an `lspci -x` text holds, by the line that names the function}
  static List<PciFunction> lspci(Path text) throws IOException {
    List<PciFunction> functions = new ArrayList<>();
    byte[] bytes = new byte[CapabilityLayout.EXTENDED_BYTES];
    int size = 0;
    Optional<Sbdf> current = Optional.empty();
    for (String line :
        Files.readString(text, java.nio.charset.StandardCharsets.ISO_8859_1).lines().toList()) {
      Matcher device = DEVICE_LINE.matcher(line);
      Matcher hex = HEX_LINE.matcher(line);
      if (device.matches() && !hex.matches()) {
        add(functions, current, bytes, size, text);
        current = Optional.of(Sbdf.parse(device.group(1)));
        size = 0;
      } else if (hex.matches()) {
        byte[] row = HexFormat.of().parseHex(hex.group(2).replace(" ", ""));
        int at = Integer.parseInt(hex.group(1), 16);
        System.arraycopy(row, 0, bytes, at, row.length);
        size = at + row.length;
      }
    }
    add(functions, current, bytes, size, text);
    return functions;
  }

  private static void add(
      List<PciFunction> to, Optional<Sbdf> sbdf, byte[] bytes, int size, Path text) {
    if (size > 0) {
      byte[] own = java.util.Arrays.copyOf(bytes, size);
      Sbdf at = sbdf.orElse(new Sbdf(0, 0, 0, 0));
      to.add(
          PciFunction.of(
              at,
              ConfigImage.of(own, text.getFileName().toString()),
              text.getFileName().toString()));
    }
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> found = Files.list(folder)) {
      return found.sorted().toList();
    }
  }

  private static Path follow(Path entry) {
    return Files.isRegularFile(entry) ? link(entry).orElseThrow() : entry;
  }

  private static Optional<Path> link(Path entry) {
    try {
      if (Files.isSymbolicLink(entry)) {
        return Optional.of(entry.resolveSibling(Files.readSymbolicLink(entry)).normalize());
      }
      return Files.isRegularFile(entry)
          ? Optional.of(entry.resolveSibling(Files.readString(entry).strip()).normalize())
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
