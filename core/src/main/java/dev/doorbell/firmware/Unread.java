package dev.doorbell.firmware;

import dev.doorbell.explain.FileTrouble;
import dev.doorbell.explain.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `unread.txt` of a capture: one line `path<TAB>why` for each file that was there and could not be read.
///
/// @param reasons by path relative to the root
record Unread(Map<String, String> reasons) {
  static final String PATH = "unread.txt";
  static final Unread NONE = new Unread(Map.of());
  private static final int LIMIT = 4 * 1024 * 1024;
  private static final int MOST = 65_536;

  /// {@return what the file lists; nothing when there is no such file}
  static Unread read(Path file) {
    try {
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) > LIMIT) {
        return NONE;
      }
      Map<String, String> reasons = new HashMap<>();
      String text = Files.readString(file, java.nio.charset.StandardCharsets.ISO_8859_1);
      for (String line : text.lines().limit(MOST).toList()) {
        String[] parts = line.split("\t", 2);
        if (parts.length == 2) {
          reasons.put(plain(parts[0]), Printable.of(parts[1]));
        }
      }
      return new Unread(Map.copyOf(reasons));
    } catch (IOException e) {
      return new Unread(Map.of(PATH, "cannot read " + PATH + ": " + FileTrouble.of(e)));
    }
  }

  Optional<String> why(String path) {
    return reasons.isEmpty() ? Optional.empty() : Optional.ofNullable(reasons.get(plain(path)));
  }

  /// {@return names of listed files that lie right in a folder}
  List<String> namesIn(String folder) {
    String prefix = plain(folder).isEmpty() ? "" : plain(folder) + "/";
    return reasons.keySet().stream()
        .filter(p -> p.startsWith(prefix))
        .map(p -> p.substring(prefix.length()))
        .filter(n -> !n.isEmpty() && !n.contains("/"))
        .toList();
  }

  private static String plain(String path) {
    return path.startsWith("/") ? path.substring(1) : path;
  }
}
