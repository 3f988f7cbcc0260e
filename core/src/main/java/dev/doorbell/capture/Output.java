package dev.doorbell.capture;

import dev.doorbell.explain.FileTrouble;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/// The folder that a capture goes to. It is written beside, under a name that ends in `.partial`, and gets its own name when all is there.
final class Output {
  private final Path out;
  private final Path beside;

  private Output(Path out, Path beside) {
    this.out = out;
    this.beside = beside;
  }

  /// {@return the place for a capture}
  ///
  /// @throws OutputRefusedException when something is there already, or nothing can be
  static Output at(Path wanted) {
    if (wanted.toString().isEmpty()) {
      throw new OutputRefusedException(
          "cannot capture into a folder without a name: OUT is empty",
          "name a folder that is not there yet");
    }
    Path out = wanted.toAbsolutePath().normalize();
    Path parent = out.getParent();
    Path name = out.getFileName();
    if (parent == null || name == null) {
      throw new OutputRefusedException(
          "cannot capture into " + wanted + ", a root", "name a folder that is not there yet");
    }
    if (!Files.isDirectory(parent)) {
      throw new OutputRefusedException(
          "cannot capture into %s: there is no folder %s".formatted(wanted, parent),
          "make it first: mkdir -p " + parent);
    }
    if (Files.exists(out, LinkOption.NOFOLLOW_LINKS) && !isEmptyFolder(out)) {
      throw new OutputRefusedException(
          "cannot capture into %s: it is there already, and not an empty folder".formatted(wanted),
          "name a folder that is not there yet");
    }
    Path beside = parent.resolve(name + ".partial");
    if (Files.exists(beside, LinkOption.NOFOLLOW_LINKS)) {
      throw new OutputRefusedException(
          "cannot capture into %s: %s is there, left by a capture that goes on or was killed"
              .formatted(wanted, beside),
          "wait for it, or remove it: rm -r " + beside);
    }
    return new Output(out, beside);
  }

  private static boolean isEmptyFolder(Path path) {
    if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try (Stream<Path> names = Files.list(path)) {
      return names.findAny().isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  Path path() {
    return out;
  }

  /// Writes every entry, or nothing.
  ///
  /// @throws CaptureFailedException when the file system refuses; what was written is gone again
  void write(List<Entry> entries) {
    try {
      makeBeside();
      for (Entry entry : entries) {
        one(entry);
      }
      Files.move(beside, out, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      discard();
      throw new CaptureFailedException(
          "cannot write the capture %s: %s".formatted(out, FileTrouble.of(e)),
          "see that the file system has room and that this user may write there",
          e);
    }
  }

  /// Its folder is there, so that a name that cannot be found is one that procfs, or another file system of the kernel's, does not make.
  private void makeBeside() throws IOException {
    try {
      Files.createDirectory(beside);
    } catch (NoSuchFileException e) {
      throw new FileSystemException(
          beside.toString(), null, "no folder can be made in " + beside.getParent());
    }
  }

  private void one(Entry entry) throws IOException {
    Path at = beside.resolve(entry.path()).normalize();
    if (!at.startsWith(beside)) {
      throw new IOException("the path " + entry.path() + " leads out of the capture");
    }
    Path folder = at.getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    try {
      switch (entry) {
        case Entry.Folder f -> Files.createDirectories(at);
        case Entry.Link l -> link(at, l.target());
        case Entry.Data d -> Files.write(at, d.bytes(), StandardOpenOption.CREATE_NEW);
      }
    } catch (FileAlreadyExistsException e) {
      // A name that is a folder by one path and a link by another: the first one stays.
      return;
    }
  }

  /// Where the file system has no links their text does, as it does for every reader of a sysroot.
  private static void link(Path at, String target) throws IOException {
    try {
      Files.createSymbolicLink(at, Path.of(target));
    } catch (UnsupportedOperationException | FileSystemException e) {
      if (e instanceof FileAlreadyExistsException exists) {
        throw exists;
      }
      Files.writeString(at, target, StandardOpenOption.CREATE_NEW);
    }
  }

  /// Removes what is written beside. Links are removed, not followed.
  void discard() {
    if (!Files.isDirectory(beside, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try {
      Files.walkFileTree(
          beside,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(
                Path folder, @org.jspecify.annotations.Nullable IOException failed)
                throws IOException {
              Files.delete(folder);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new CaptureFailedException(
          "cannot remove what was written to %s: %s".formatted(beside, FileTrouble.of(e)),
          "remove it: rm -r " + beside,
          e);
    }
  }
}
