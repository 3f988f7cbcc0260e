package dev.doorbell.firmware;

/// What became of reading a file of a sysroot. "Is not there" and "could not be seen" are different answers.
public sealed interface Contents {
  /// The file's bytes.
  record Present(Blob blob) implements Contents {}

  /// There is no such file.
  record Absent() implements Contents {}

  /// There is something, but it could not be read.
  record Unreadable(String why) implements Contents {}

  Contents ABSENT = new Absent();
}
