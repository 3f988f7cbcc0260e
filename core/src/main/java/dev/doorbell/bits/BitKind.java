package dev.doorbell.bits;

/// What a declared run of bits is for. The names are those of the Arm Architecture Reference Manual.
public enum BitKind {
  /// A named field with a meaning.
  FIELD,
  /// Reserved, written as zero; hardware may ignore it.
  RES0,
  /// Reserved, written as one.
  RES1,
  /// Ignored by hardware, of no use to software either.
  IGNORED,
  /// Left to the implementation.
  IMPDEF,
  /// Ignored by hardware and free for software.
  SOFTWARE
}
