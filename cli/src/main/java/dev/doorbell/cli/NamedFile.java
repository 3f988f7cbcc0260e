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
  /// @throws UnusableInput when it is not there, is a folder, is longer, or cannot be read
  static byte[] bytes(Path file, int most, String advice) {
    if (Files.isDirectory(file)) {
      throw unreadable(file + " is a folder", advice);
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(most);
      if (in.read() >= 0) {
        throw unreadable("%s has more than %d bytes".formatted(file, most), advice);
      }
      return bytes;
    } catch (NoSuchFileException e) {
      throw unreadable(FileTrouble.of(e), advice);
    } catch (IOException e) {
      throw unreadable("%s cannot be read: %s".formatted(file, FileTrouble.of(e)), advice);
    }
  }

  private static UnusableInput unreadable(String what, String advice) {
    return new UnusableInput("UnreadableFile", what, advice);
  }
}
