package dev.doorbell.pci.setup;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Claims laid out one after the other, those of the largest alignment first.
final class Block {
  /// More than any window has. Sizes stop here, so that the sum of absurd ones stays one that is refused.
  static final long ENDLESS = 0x4000_0000_0000_0000L;

  static final Comparator<Claim> LARGEST_FIRST =
      Comparator.comparingLong(Claim::alignment).thenComparingLong(Claim::bytes).reversed();

  private final List<Part> parts = new ArrayList<>();
  private long bytes;
  private long alignment = 1;

  private record Part(Claim claim, long offset) {}

  Block(List<Claim> claims) {
    for (Claim c : claims.stream().sorted(LARGEST_FIRST).toList()) {
      long at = alignUp(bytes, c.alignment());
      parts.add(new Part(c, at));
      bytes = Math.min(ENDLESS, at + Math.min(ENDLESS, c.bytes()));
      alignment = Math.max(alignment, c.alignment());
    }
  }

  long bytes() {
    return bytes;
  }

  /// {@return the largest alignment of a claim}
  long alignment() {
    return alignment;
  }

  /// Gives each claim its address.
  ///
  /// @param start a multiple of the alignment
  void assign(long start) {
    parts.forEach(p -> p.claim.assign(start + p.offset));
  }

  /// {@return the next multiple, or {@link #ENDLESS}}
  ///
  /// @param value 0 to {@link #ENDLESS}
  static long alignUp(long value, long alignment) {
    return value > ENDLESS - alignment ? ENDLESS : (value + alignment - 1) & -alignment;
  }
}
