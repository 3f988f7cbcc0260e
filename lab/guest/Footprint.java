import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What a process holds of the kernel's: a program that gave everything back has the same as before.
///
/// @param files open files
/// @param lockedKib memory that containers lock (`VmLck`)
/// @param pinnedKib memory that iommufd pins (`VmPin`)
/// @param fileMaps mappings of devices' memory, of guests' and of their processors' state; memory of the process that no file has is seen where
///     it is locked or pinned
record Footprint(long files, long lockedKib, long pinnedKib, long fileMaps) {
  private static final Pattern FILES = Pattern.compile("vfio|/sys/|anon_inode:|/memfd:|/anon_hugepage");

  static Footprint now() throws IOException {
    long files;
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      files = all.count();
    }
    long maps;
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      maps = lines.filter(l -> FILES.matcher(l).find()).count();
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
    return "%d files, %d KiB locked, %d KiB pinned, %d mappings of files".formatted(files, lockedKib, pinnedKib, fileMaps);
  }
}
