package dev.doorbell.capture;

import dev.doorbell.capture.CaptureReport.NotRead;
import dev.doorbell.firmware.Blob;
import dev.doorbell.firmware.Sysroot;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The entries of one capture while they are collected. Nothing is followed out of the root, nothing is read twice, and there is an end to how much is read. Not thread-safe.
final class Gathering {
  private static final int MOST_ENTRIES = 200_000;
  private static final long MOST_BYTES = 256L * 1024 * 1024;

  private final Sysroot root;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Set<NotRead> unread = new LinkedHashSet<>();
  private long bytes;

  Gathering(Sysroot root) {
    this.root = root;
  }

  Sysroot root() {
    return root;
  }

  List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  List<NotRead> unread() {
    return List.copyOf(unread);
  }

  /// Takes a file, when it is there. A link to a file becomes a file.
  void file(String path, int limit) {
    if (entries.containsKey(path)) {
      return;
    }
    root.read(path, limit)
        .blob(why -> unread.add(new NotRead(path, why)))
        .ifPresent(blob -> data(path, blob));
  }

  void files(String folder, List<String> names, int limit) {
    names.forEach(name -> file(folder + "/" + name, limit));
  }

  void data(String path, Blob blob) {
    put(new Entry.Data(path, blob.latin1().getBytes(StandardCharsets.ISO_8859_1)));
  }

  void text(String path, String text) {
    put(new Entry.Data(path, text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  /// Notes something that could not be read.
  void missed(String path, String why) {
    unread.add(new NotRead(path, why));
  }

  /// Takes a folder as such, when it is there.
  ///
  /// @return its names; none when it is not there
  List<String> folder(String path) {
    Optional<List<String>> names = root.list(path);
    if (names.isPresent()) {
      put(new Entry.Folder(path));
    } else if (root.isFolder(path)) {
      unread.add(new NotRead(path, "cannot list " + path));
    }
    return names.orElse(List.of());
  }

  /// Takes a link as it is written.
  ///
  /// @return whether there was one
  boolean link(String path) {
    Optional<String> target = root.linkText(path);
    if (target.isEmpty()) {
      return false;
    }
    if (staysInside(path, target.get())) {
      put(new Entry.Link(path, target.get()));
    } else {
      unread.add(
          new NotRead(path, "the link leads to %s, out of the tree".formatted(target.get())));
    }
    return true;
  }

  /// Takes a name that is a link to a folder, and gives the folder that it leads to.
  Optional<String> linkedFolder(String path) {
    link(path);
    return root.canonical(path).filter(root::isFolder);
  }

  private void put(Entry entry) {
    long size = entry instanceof Entry.Data d ? d.bytes().length : 0;
    if (entries.size() >= MOST_ENTRIES || bytes + size > MOST_BYTES) {
      unread.add(
          new NotRead(
              entry.path(),
              "the capture has reached its limit of %d files or %d MiB"
                  .formatted(MOST_ENTRIES, MOST_BYTES / 1024 / 1024)));
      return;
    }
    if (entries.putIfAbsent(entry.path(), entry) == null) {
      bytes += size;
    }
  }

  /// A link of sysfs is relative; `pid:[4026531836]` leads nowhere.
  private static boolean staysInside(String path, String target) {
    if (target.startsWith("/")) {
      return false;
    }
    List<String> at = new ArrayList<>(Arrays.asList(path.split("/")));
    at.removeLast();
    for (String part : target.split("/")) {
      if (part.equals("..")) {
        if (at.isEmpty()) {
          return false;
        }
        at.removeLast();
      } else if (!part.isEmpty() && !part.equals(".")) {
        at.add(part);
      }
    }
    return true;
  }
}
