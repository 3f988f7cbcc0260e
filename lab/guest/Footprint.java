import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// What a process holds of the kernel's: a program that gave everything back has the same as before.
///
/// @param files open files
/// @param lockedKib memory that containers lock (`VmLck`)
/// @param pinnedKib memory that iommufd pins (`VmPin`)
/// @param deviceMaps mappings of devices' memory
record Footprint(long files, long lockedKib, long pinnedKib, long deviceMaps) {
  static Footprint now() throws IOException {
    long files;
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      files = all.count();
    }
    long maps;
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      maps = lines.filter(l -> l.contains("vfio") || l.contains("/sys/")).count();
    }
    return new Footprint(files, status("VmLck:"), status("VmPin:"), maps);
  }

  private static long status(String name) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(l -> l.startsWith(name))
          .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
          .findFirst()
          .orElseThrow();
    }
  }

  @Override
  public String toString() {
    return "%d files, %d KiB locked, %d KiB pinned, %d device mappings".formatted(files, lockedKib, pinnedKib, deviceMaps);
  }
}
