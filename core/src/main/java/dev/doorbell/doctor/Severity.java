package dev.doorbell.doctor;

/// How much a finding weighs, heaviest first.
public enum Severity {
  /// Passthrough with MSI cannot work until this is cured.
  BLOCKS,
  /// It works, and a guest or user-space driver can reach what it was not given.
  UNSAFE,
  /// It works, with a limit or a side effect that somebody will run into.
  WARNS,
  /// The fact could not be seen; the answer may change with it.
  UNSEEN,
  /// As it should be.
  FINE
}
