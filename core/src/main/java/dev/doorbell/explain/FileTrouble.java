package dev.doorbell.explain;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/// Why a file cannot be used, in words: several of Java's exceptions tell the file's name only, and the cause by their own.
public final class FileTrouble {
  private FileTrouble() {}

  /// {@return the cause, as a clause; the name of what it is about is in it where the file system told it}
  public static String of(IOException e) {
    return switch (e) {
      case NoSuchFileException f -> "there is no file " + f.getFile();
      case AccessDeniedException f -> "this user has no access to " + f.getFile();
      case FileAlreadyExistsException f -> f.getFile() + " is there already";
      case FileSystemException f when f.getReason() != null -> f.getFile() + ": " + f.getReason();
      default -> e.getMessage() == null ? "input or output failed" : e.getMessage();
    };
  }
}
