package dev.doorbell.firmware;

import dev.doorbell.explain.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Device nodes of VFIO, iommufd and KVM: those of the running machine, or the lines of a capture's `dev-nodes.txt`.
///
/// @param seen whether the nodes could be looked at, so that one that is not listed is not there
/// @param file where they are from
public record DeviceNodes(List<Node> nodes, boolean seen, String file) {
  public static final String PATH = "dev-nodes.txt";
  private static final int LIMIT = 1024 * 1024;
  private static final int MOST = 4096;
  private static final int WORDS = 5;
  private static final int PERMISSIONS = 07777;

  /// One node.
  ///
  /// @param path such as `/dev/vfio/vfio`
  /// @param mode permissions in octal and owner, `666 0:0`; empty when not recorded
  /// @param open whether the user who looks, or looked, may read and write it
  public record Node(String path, String mode, Optional<Boolean> open) {
    /// {@return the node as a line of `dev-nodes.txt`: path, permissions, owner, and `rw` or `no-access`}
    public String line() {
      return mode.isEmpty()
          ? path
          : path + " " + mode + open.map(o -> o ? " rw" : " no-access").orElse("");
    }
  }

  public DeviceNodes {
    nodes = List.copyOf(nodes);
  }

  public Optional<Node> node(String path) {
    return nodes.stream().filter(n -> n.path().equals(path)).findFirst();
  }

  /// {@return the nodes of a sysroot}
  public static DeviceNodes read(Sysroot sysroot) {
    if (sysroot.isLive()) {
      return live(sysroot.path());
    }
    Optional<String> text = sysroot.text(PATH, LIMIT);
    return new DeviceNodes(
        text.orElse("")
            .lines()
            .limit(MOST)
            .map(String::strip)
            .filter(l -> l.startsWith("/dev/"))
            .map(DeviceNodes::parse)
            .toList(),
        text.isPresent(),
        PATH);
  }

  private static Node parse(String line) {
    String[] words = Printable.of(line).split("\\s+", WORDS);
    return words.length < 3
        ? new Node(words[0], "", Optional.empty())
        : new Node(
            words[0],
            words[1] + " " + words[2],
            words.length > 3 ? Optional.of(words[3].equals("rw")) : Optional.empty());
  }

  private static DeviceNodes live(Path root) {
    List<Node> out = new ArrayList<>();
    add(root.resolve("dev/vfio"), out);
    add(root.resolve("dev/vfio/devices"), out);
    for (String name : List.of("dev/iommu", "dev/kvm")) {
      Path node = root.resolve(name);
      if (Files.exists(node)) {
        out.add(node(node));
      }
    }
    return new DeviceNodes(out, Files.isDirectory(root.resolve("dev")), "dev");
  }

  private static void add(Path folder, List<Node> out) {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> entries = Files.list(folder)) {
      entries
          .filter(p -> !Files.isDirectory(p))
          .limit(MOST)
          .sorted()
          .forEach(p -> out.add(node(p)));
    } catch (IOException | java.io.UncheckedIOException e) {
      out.add(new Node(folder.toString(), "", Optional.of(false)));
    }
  }

  private static Node node(Path path) {
    String mode = "";
    try {
      Map<String, Object> unix =
          Files.readAttributes(path, "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
      if (unix.get("mode") instanceof Integer bits) {
        mode = "%o %s:%s".formatted(bits & PERMISSIONS, unix.get("uid"), unix.get("gid"));
      }
    } catch (IOException | UnsupportedOperationException e) {
      mode = "";
    }
    return new Node(
        path.toString(), mode, Optional.of(Files.isReadable(path) && Files.isWritable(path)));
  }
}
