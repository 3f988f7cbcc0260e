package dev.doorbell.cli;

import dev.doorbell.explain.FileTrouble;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// A file that an argument names and a command reads as a whole.
final class NamedFile {
  private NamedFile() {}

  /// {@return the bytes of a file}
  ///
  /// @param most the largest count of bytes that is taken
  /// @param advice what to name instead
  /// @throws UnusableInput when it is not there, is a folder, a device or a pipe, is longer, or cannot be read
  static byte[] bytes(Path file, int most, String advice) {
    if (Files.isDirectory(file)) {
      throw unreadable(file + " is a folder", advice);
    }
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      // It may have no end, and wait for whoever writes to it.
      throw unreadable(file + " is no regular file, but a device, a pipe or a socket", advice);
    }
    try (InputStream in = Files.newInputStream(file)) {
      if (Files.size(file) > most) {
        throw tooLong(file, most, advice);
      }
      // It may grow, and some files of the kernel say that they have no bytes.
      byte[] bytes = in.readNBytes(most);
      if (in.read() >= 0) {
        throw tooLong(file, most, advice);
      }
      return bytes;
    } catch (NoSuchFileException e) {
      throw unreadable(FileTrouble.of(e), advice);
    } catch (IOException e) {
      throw unreadable("%s cannot be read: %s".formatted(file, FileTrouble.of(e)), advice);
    }
  }

  private static UnusableInput tooLong(Path file, int most, String advice) {
    return unreadable("%s has more than %d bytes".formatted(file, most), advice);
  }

  private static UnusableInput unreadable(String what, String advice) {
    return new UnusableInput("UnreadableFile", what, advice);
  }
}
