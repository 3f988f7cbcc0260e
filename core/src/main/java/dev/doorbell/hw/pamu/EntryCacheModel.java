package dev.doorbell.hw.pamu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Copies of a table's entries that a unit keeps, in sets of lines. Looking up allocates nothing and takes no lock. What is kept never changes:
/// dropping everything is another cache in its place, so that who read an entry before cannot keep it afterwards.
///
/// **Source**: the binding `powerpc/fsl/pamu.txt` of Linux, `fsl,primary-cache-geometry` and `fsl,secondary-cache-geometry`.
final class EntryCacheModel {
  private record Line(long tag, long[] words) {}

  private final AtomicReferenceArray<@Nullable Line> lines;
  private final int ways;
  private final AtomicInteger next = new AtomicInteger();

  /// @param lines in all sets, a multiple of the ways
  EntryCacheModel(int lines, int ways) {
    this.lines = new AtomicReferenceArray<>(lines);
    this.ways = ways;
  }

  EntryCacheModel emptied() {
    return new EntryCacheModel(lines.length(), ways);
  }

  /// {@return the words of an entry, or null where they are not kept}
  ///
  /// @param tag the entry's number in its table
  long @Nullable [] find(long tag) {
    int first = first(tag);
    for (int way = 0; way < ways; way++) {
      Line line = lines.get(first + way);
      if (line != null && line.tag() == tag) {
        return line.words();
      }
    }
    return null;
  }

  void keep(long tag, long[] words) {
    lines.set(first(tag) + Math.floorMod(next.getAndIncrement(), ways), new Line(tag, words));
  }

  private int first(long tag) {
    return (int) Long.remainderUnsigned(tag, lines.length() / ways) * ways;
  }
}
