package dev.doorbell.capture;

/// One thing to be written, by its path below the root.
sealed interface Entry {
  String path();

  /// An empty folder: that there is nothing in it is a fact, too.
  record Folder(String path) implements Entry {}

  /// A symbolic link.
  ///
  /// @param target as it is written
  record Link(String path, String target) implements Entry {}

  /// A regular file. The bytes are the entry's own.
  record Data(String path, byte[] bytes) implements Entry {
    boolean isText() {
      for (byte b : bytes) {
        boolean text = b >= 0x20 && b < 0x7f || b == '\n' || b == '\t' || b == '\r' || b == 0;
        if (!text) {
          return false;
        }
      }
      return true;
    }
  }
}
