package dev.doorbell.iova;

/// Where the ranges of a {@link GranuleTree} lie: what is not free, and what starts one.
///
/// **Threads** none, as the tree.
final class TakenGranules {
  private static final long NONE = GranuleTree.NONE;

  private final GranuleNode root;
  private final long end;

  TakenGranules(GranuleNode root) {
    this.root = root;
    this.end = root.granules();
  }

  /// {@return the lowest granule, at or above one, that is free or starts a range; the end when there is none}
  long boundary(long from) {
    long found = from >= end ? NONE : boundary(root, 0, from);
    return found == NONE ? end : found;
  }

  private static long boundary(GranuleNode node, long base, long from) {
    // Two rounds at most: a partial child that is looked at from its first granule always holds a
    // boundary.
    long candidates =
        (node.free | node.start | node.partial) & GranuleWord.atOrAbove(node.childOf(base, from));
    while (candidates != 0) {
      int i = GranuleWord.lowest(candidates);
      long child = node.childBase(base, i);
      long found = NONE;
      if (GranuleWord.isSet(node.free, i)) {
        found = Math.max(from, child);
      } else if (GranuleWord.isSet(node.start, i)) {
        found = from <= child ? child : NONE;
      } else if (node.level > 1) {
        found = boundary(node.child(i), child, from);
      } else {
        long bits = node.freeWord(i) | node.startWord(i);
        bits &= from <= child ? -1L : GranuleWord.atOrAbove((int) (from - child));
        found = bits == 0 ? NONE : child + GranuleWord.lowest(bits);
      }
      if (found != NONE) {
        return found;
      }
      candidates &= candidates - 1;
    }
    return NONE;
  }

  /// {@return the lowest granule at or above one that is not free; the end when there is none}
  long used(long from) {
    long found = from >= end ? NONE : used(root, 0, from);
    return found == NONE ? end : found;
  }

  private static long used(GranuleNode node, long base, long from) {
    long candidates = ~node.free & GranuleWord.atOrAbove(node.childOf(base, from));
    while (candidates != 0) {
      int i = GranuleWord.lowest(candidates);
      long child = node.childBase(base, i);
      long found;
      if (!GranuleWord.isSet(node.partial, i)) {
        found = Math.max(from, child);
      } else if (node.level > 1) {
        found = used(node.child(i), child, from);
      } else {
        long bits = ~node.freeWord(i);
        bits &= from <= child ? -1L : GranuleWord.atOrAbove((int) (from - child));
        found = bits == 0 ? NONE : child + GranuleWord.lowest(bits);
      }
      if (found != NONE) {
        return found;
      }
      candidates &= candidates - 1;
    }
    return NONE;
  }

  /// {@return where the range that holds a granule starts; the granule must not be free}
  long startOf(long granule) {
    return startOf(root, 0, granule);
  }

  private static long startOf(GranuleNode node, long base, long upTo) {
    int top = (int) Math.min(GranuleWord.BITS - 1L, (upTo - base) >>> node.childShift);
    long candidates = (node.start | node.partial) & GranuleWord.atOrBelow(top);
    while (candidates != 0) {
      int i = GranuleWord.highest(candidates);
      long child = node.childBase(base, i);
      long found;
      if (!GranuleWord.isSet(node.partial, i)) {
        found = child;
      } else if (node.level > 1) {
        found = startOf(node.child(i), child, upTo);
      } else {
        long bits =
            node.startWord(i)
                & GranuleWord.atOrBelow((int) Math.min(GranuleWord.BITS - 1L, upTo - child));
        found = bits == 0 ? NONE : child + GranuleWord.highest(bits);
      }
      if (found != NONE) {
        return found;
      }
      candidates &= ~GranuleWord.bit(i);
    }
    return NONE;
  }

  /// {@return whether a range starts at a granule}
  boolean starts(long granule) {
    GranuleNode node = root;
    long base = 0;
    while (true) {
      int i = node.childOf(base, granule);
      long child = node.childBase(base, i);
      if (!GranuleWord.isSet(node.partial, i)) {
        return granule == child && GranuleWord.isSet(node.start, i);
      }
      if (node.level == 1) {
        return GranuleWord.isSet(node.startWord(i), (int) (granule - child));
      }
      node = node.child(i);
      base = child;
    }
  }
}
