package dev.doorbell.explain;

/// How a fact about a machine is known.
public enum Basis {
  /// Read from the machine's own tables or registers.
  OBSERVED,
  /// Written down by the machine's kernel.
  RECORDED,
  /// What Doorbell would do.
  DERIVED,
  /// Not known: it could not be read.
  UNSEEN
}
