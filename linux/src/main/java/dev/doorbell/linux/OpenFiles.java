package dev.doorbell.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// What this process holds of the kernel, open files and mappings of them: compared before and after, to see leaks.
///
/// **Source**: `proc_pid_fd(5)`, `proc_pid_maps(5)`
public final class OpenFiles {
  private static final Path FDS = Path.of("/proc/self/fd");
  private static final Path MAPS = Path.of("/proc/self/maps");

  /// Files of the kinds that this room makes begin so.
  private static final List<String> OWN =
      List.of("anon_inode:", "socket:", "/memfd:", "/dev/vfio", "/dev/iommu", "/anon_hugepage");

  /// Words before the file in a line of the kernel's list of mappings.
  private static final int BEFORE_NAME = 5;

  private OpenFiles() {}

  /// {@return open files of the kinds that this room makes, and mappings of such files, by what the kernel says of them} A mapping's name
  /// begins with `mapped `. Memory of the process that no file has is not told apart from the virtual machine's own.
  public static Map<String, Integer> held() {
    Map<String, Integer> out = new TreeMap<>();
    try (Stream<Path> all = Files.list(FDS);
        Stream<String> mappings = Files.lines(MAPS)) {
      for (Path p : all.toList()) {
        String target;
        try {
          target = Files.readSymbolicLink(p).toString();
        } catch (IOException e) {
          // The descriptor of the listing itself is gone.
          continue;
        }
        count(out, "", target);
      }
      mappings
          .map(l -> l.split(" +", BEFORE_NAME + 1))
          .filter(w -> w.length > BEFORE_NAME)
          .forEach(w -> count(out, "mapped ", w[BEFORE_NAME]));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out;
  }

  private static void count(Map<String, Integer> out, String how, String file) {
    if (OWN.stream().anyMatch(file::startsWith)) {
      out.merge(how + file.replaceAll("\\[\\d+\\]|\\d+", "N"), 1, Integer::sum);
    }
  }

  /// {@return how many there are}
  public static int count() {
    return held().values().stream().mapToInt(Integer::intValue).sum();
  }
}
