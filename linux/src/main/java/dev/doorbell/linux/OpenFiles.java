package dev.doorbell.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// What this process holds of the kernel: compared before and after, to see leaks.
///
/// **Source**: `proc_pid_fd(5)`
public final class OpenFiles {
  private static final Path FDS = Path.of("/proc/self/fd");

  private OpenFiles() {}

  /// {@return open files of the kinds that this room makes, by what the kernel says of them}
  public static Map<String, Integer> held() {
    Map<String, Integer> out = new TreeMap<>();
    try (Stream<Path> all = Files.list(FDS)) {
      for (Path p : all.toList()) {
        String target;
        try {
          target = Files.readSymbolicLink(p).toString();
        } catch (IOException e) {
          // The descriptor of the listing itself is gone.
          continue;
        }
        if (target.startsWith("anon_inode:")
            || target.startsWith("socket:")
            || target.startsWith("/memfd:")
            || target.startsWith("/dev/vfio")
            || target.startsWith("/dev/iommu")) {
          out.merge(target.replaceAll("\\[\\d+\\]|\\d+", "N"), 1, Integer::sum);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out;
  }

  /// {@return how many there are}
  public static int count() {
    return held().values().stream().mapToInt(Integer::intValue).sum();
  }
}
