package dev.doorbell.firmware;

import dev.doorbell.explain.FileTrouble;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// A read-only view of a folder in the layout of a Linux root: `/` itself, a capture of another machine, a folder of bare
/// ACPI tables, or one file (an `lspci -xxxx` dump, a device tree, an ACPI table).
///
/// Symbolic links are resolved inside the root: an absolute link starts at the root, and `..` stops there, so a capture
/// never shows the machine that it is read on. A small file that holds a relative path counts as a link too: that is how
/// links survive archives and check-outs that cannot store them.
///
/// A capture may list in `unread.txt` what whoever made it could not read: such a file is unreadable here, not absent.
///
/// **Shape**: each file has a size limit given by who reads it; a folder shows at most 65 536 names; 40 links a path.
///
/// **Threads**: safe; nothing is cached.
public final class Sysroot {
  private static final int MAX_LINKS = 40;
  private static final int MAX_NAMES = 65_536;
  private static final int MAX_LINK_TEXT = 4096;
  private static final int CHUNK = 8192;

  /// The virtual machine keeps memory as large as the largest piece that was read.
  private static final int MOST_AT_ONCE = 256 * 1024;

  /// What the root is.
  enum Shape {
    /// A folder as `/`.
    ROOT,
    /// A folder of ACPI tables.
    TABLES,
    /// One file.
    FILE
  }

  private final Path root;
  private final Shape shape;
  private final Unread unread;

  private Sysroot(Path root, Shape shape) {
    this.root = root;
    this.shape = shape;
    this.unread = shape == Shape.ROOT ? Unread.read(root.resolve(Unread.PATH)) : Unread.NONE;
  }

  /// {@return a view of a folder or file}
  ///
  /// @throws NoSuchSysrootException when there is no such folder or file
  public static Sysroot open(Path root) {
    Path real;
    try {
      real = root.toRealPath();
    } catch (NoSuchFileException e) {
      throw new NoSuchSysrootException("there is no folder or file " + root);
    } catch (IOException e) {
      throw new NoSuchSysrootException("cannot open %s: %s".formatted(root, FileTrouble.of(e)));
    }
    if (Files.isDirectory(real)) {
      boolean asRoot = Files.exists(real.resolve("sys")) || Files.exists(real.resolve("proc"));
      return new Sysroot(real, !asRoot && holdsTables(real) ? Shape.TABLES : Shape.ROOT);
    }
    if (!Files.isRegularFile(real)) {
      throw new NoSuchSysrootException(root + " is neither a folder nor a regular file");
    }
    return new Sysroot(real, Shape.FILE);
  }

  private static boolean holdsTables(Path folder) {
    return List.of("APIC", "MCFG", "IORT", "FACP", "DMAR", "IVRS", "DSDT").stream()
        .anyMatch(name -> Files.isRegularFile(folder.resolve(name)));
  }

  /// {@return the folder or file, as the machine that reads it names it}
  public Path path() {
    return root;
  }

  Shape shape() {
    return shape;
  }

  /// {@return whether this is laid out as a Linux root, and neither a folder of bare tables nor one file}
  public boolean isRoot() {
    return shape == Shape.ROOT;
  }

  /// {@return whether this is the very machine that looks, and no capture}
  public boolean isLive() {
    return root.getParent() == null;
  }

  /// {@return the kernel's log: `dmesg.txt` of a capture; of the running machine its ring buffer, or what a log daemon wrote down of it}
  public Contents kernelLog() {
    return isLive() ? LiveLog.read(root) : read(KernelLog.PATH, KernelLog.LIMIT);
  }

  /// {@return a file's bytes}
  ///
  /// @param limit bytes above which the file is not read
  public Contents read(String path, int limit) {
    Walk end = walk(path, true);
    if (end instanceof Walk.Found(Path at, String canonical, BasicFileAttributes attributes)) {
      return attributes.isRegularFile()
          ? slurp(at, path, limit)
          : new Contents.Unreadable(path + " is not a regular file");
    }
    Optional<String> why =
        end instanceof Walk.Blocked(String blocked)
            ? Optional.of(blocked)
            : unread.why(path).or(() -> leadsOut(path));
    return why.isPresent() ? new Contents.Unreadable(why.get()) : Contents.ABSENT;
  }

  /// {@return why a file that is a link to what this folder has not cannot be seen: something is there, elsewhere}
  private Optional<String> leadsOut(String path) {
    return walk(path, false)
                instanceof Walk.Found(Path at, String canonical, BasicFileAttributes attributes)
            && attributes.isSymbolicLink()
        ? linkText(at, attributes)
            .map(to -> "%s is a link to %s, which is not in this folder".formatted(path, to))
        : Optional.empty();
  }

  /// {@return the bytes of the one file that is the root}
  Contents readRootFile(int limit) {
    Path name = root.getFileName();
    return slurp(root, name == null ? "root" : name.toString(), limit);
  }

  /// {@return a text file, when it is there and readable}
  public Optional<String> text(String path, int limit) {
    return read(path, limit) instanceof Contents.Present(Blob blob)
        ? Optional.of(new String(blob.copy(0, blob.size()), StandardCharsets.UTF_8))
        : Optional.empty();
  }

  /// {@return a folder's names in order, or empty when it is not there or not readable}
  public Optional<List<String>> list(String path) {
    if (!(walk(path, true)
            instanceof Walk.Found(Path at, String canonical, BasicFileAttributes attributes))
        || !attributes.isDirectory()) {
      return Optional.empty();
    }
    Set<String> names = new TreeSet<>(unread.namesIn(canonical));
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(at)) {
      for (Path entry : entries) {
        Path name = entry.getFileName();
        if (name != null && names.size() < MAX_NAMES) {
          names.add(name.toString());
        }
      }
    } catch (IOException | java.nio.file.DirectoryIteratorException e) {
      return Optional.empty();
    }
    return Optional.of(List.copyOf(names));
  }

  /// {@return whether there is anything of that name}
  public boolean exists(String path) {
    return !(walk(path, true) instanceof Walk.Missing) || unread.why(path).isPresent();
  }

  /// {@return whether that name leads to a folder}
  public boolean isFolder(String path) {
    return walk(path, true)
            instanceof Walk.Found(Path at, String canonical, BasicFileAttributes attributes)
        && attributes.isDirectory();
  }

  /// {@return the path inside the root with every link resolved}
  public Optional<String> canonical(String path) {
    if (walk(path, true)
        instanceof Walk.Found(Path at, String canonical, BasicFileAttributes attributes)) {
      if (attributes.isRegularFile()) {
        Optional<String> target = linkText(at, attributes);
        if (target.isPresent()) {
          int slash = canonical.lastIndexOf('/');
          String folder = slash < 0 ? "" : canonical.substring(0, slash);
          return walk(folder + "/" + target.get(), true)
                  instanceof Walk.Found(Path to, String resolved, BasicFileAttributes ignored)
              ? Optional.of(resolved)
              : Optional.empty();
        }
      }
      return Optional.of(canonical);
    }
    return Optional.empty();
  }

  /// {@return the last name of a link's target, whether or not the target is in the capture}
  public Optional<String> linkName(String path) {
    return linkText(path).map(t -> t.substring(t.lastIndexOf('/') + 1)).filter(t -> !t.isEmpty());
  }

  /// {@return a link's target as it is written}
  public Optional<String> linkText(String path) {
    return walk(path, false)
            instanceof Walk.Found(Path at, String canonical, BasicFileAttributes attributes)
        ? linkText(at, attributes)
        : Optional.empty();
  }

  private sealed interface Walk {
    record Found(Path at, String canonical, BasicFileAttributes attributes) implements Walk {}

    record Missing() implements Walk {}

    record Blocked(String why) implements Walk {}
  }

  private Walk walk(String path, boolean followLast) {
    Deque<String> todo = new ArrayDeque<>(Arrays.asList(path.split("/")));
    List<String> done = new ArrayList<>();
    int links = 0;
    try {
      BasicFileAttributes attributes =
          Files.readAttributes(root, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      while (!todo.isEmpty()) {
        String name = todo.removeFirst();
        if (name.equals("..")) {
          if (!done.isEmpty()) {
            done.removeLast();
          }
        } else if (!name.isEmpty() && !name.equals(".")) {
          done.add(name);
        } else {
          continue;
        }
        Path at = at(done);
        attributes = Files.readAttributes(at, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        boolean last = todo.isEmpty();
        if (last && !followLast
            || last && !attributes.isSymbolicLink()
            || attributes.isDirectory()) {
          continue;
        }
        Optional<String> target = linkText(at, attributes);
        if (target.isEmpty()) {
          return new Walk.Missing();
        }
        if (++links > MAX_LINKS) {
          return new Walk.Blocked(path + " leads through more than " + MAX_LINKS + " links");
        }
        done.removeLast();
        if (target.get().startsWith("/")) {
          done.clear();
        }
        List<String> parts = Arrays.asList(target.get().split("/"));
        for (String part : parts.reversed()) {
          todo.addFirst(part);
        }
      }
      return new Walk.Found(at(done), String.join("/", done), attributes);
    } catch (NoSuchFileException | NotDirectoryException | InvalidPathException e) {
      return new Walk.Missing();
    } catch (IOException e) {
      // "Not a directory" in the middle of a path has no type of its own in java.nio.file.
      return e.getMessage() != null && e.getMessage().contains("Not a directory")
          ? new Walk.Missing()
          : new Walk.Blocked("cannot read " + path + ": " + FileTrouble.of(e));
    }
  }

  private Path at(List<String> names) {
    return root.resolve(String.join("/", names));
  }

  private static Optional<String> linkText(Path at, BasicFileAttributes attributes) {
    try {
      if (attributes.isSymbolicLink()) {
        return Optional.of(Files.readSymbolicLink(at).toString());
      }
      if (!attributes.isRegularFile()
          || attributes.size() == 0
          || attributes.size() > MAX_LINK_TEXT) {
        return Optional.empty();
      }
      byte[] bytes = bytes(at, MAX_LINK_TEXT);
      String text = new String(bytes, StandardCharsets.UTF_8);
      boolean relative = text.startsWith("../") || text.startsWith("./");
      return relative && text.chars().allMatch(c -> c >= 0x20 && c < 0x7f)
          ? Optional.of(text)
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static Contents slurp(Path at, String name, int limit) {
    try {
      byte[] bytes = bytes(at, limit);
      return bytes.length > limit
          ? new Contents.Unreadable(
              "%s is larger than the %d bytes that are read".formatted(name, limit))
          : new Contents.Present(Blob.of(name, bytes));
    } catch (NoSuchFileException e) {
      return Contents.ABSENT;
    } catch (IOException e) {
      return new Contents.Unreadable("cannot read " + name + ": " + FileTrouble.of(e));
    }
  }

  /// Reads to the end, or one byte past the limit. Sizes that the file system states are a first guess and no more: those of sysfs and
  /// procfs are made up.
  private static byte[] bytes(Path at, int limit) throws IOException {
    int used = 0;
    try (SeekableByteChannel in =
        Files.newByteChannel(at, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
      byte[] buffer = new byte[(int) Math.min(Math.max(CHUNK, in.size()), limit + 1L)];
      // Where the size was told rightly, one byte more shows the end, and nothing is copied.
      byte[] more = new byte[1];
      while (used <= limit) {
        if (used == buffer.length) {
          if (in.read(ByteBuffer.wrap(more)) < 0) {
            break;
          }
          buffer = Arrays.copyOf(buffer, (int) Math.min(limit + 1L, 2L * buffer.length));
          buffer[used++] = more[0];
          continue;
        }
        int got =
            in.read(ByteBuffer.wrap(buffer, used, Math.min(MOST_AT_ONCE, buffer.length - used)));
        if (got < 0) {
          break;
        }
        used += got;
      }
      return used == buffer.length ? buffer : Arrays.copyOf(buffer, used);
    }
  }
}
