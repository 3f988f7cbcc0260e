package dev.doorbell.iova;

import org.jspecify.annotations.Nullable;

/// Which granules of a space are free, and where the ranges in the rest start: a tree of 64-way bitmaps that exists only
/// where a range ends within one of its nodes, indexed by the size of the free aligned blocks below each node.
///
/// Granules are numbered from 0. Every operation looks at two nodes a level at most, whatever the space holds: 9 levels
/// for 2^52 granules, 4 for 2^20. Nothing is allocated once as many nodes have existed as are needed: unused ones are
/// kept. Dense ranges cost two bits a granule and 2 % for the nodes above.
///
/// **Threads** none: {@link IovaAllocator} locks.
final class GranuleTree {
  static final long NONE = -1;

  private final GranuleNode root;
  private final @Nullable GranuleNode[] spares;
  private final LowestWord lowest;

  /// @param granules size of the space, at most 2^52
  GranuleTree(long granules) {
    int level = 1;
    while (level < 8 && granules > GranuleWord.bit((level + 1) * GranuleWord.SHIFT)) {
      level++;
    }
    this.root = new GranuleNode(level);
    this.spares = new GranuleNode[level + 1];
    this.lowest = new LowestWord(root);
  }

  /// {@return granules that the tree can tell apart, a power of two not below the size of the space}
  long capacity() {
    return GranuleWord.bit(root.childShift + GranuleWord.SHIFT);
  }

  /// {@return start of the lowest free aligned block of 2^order granules at or above a granule, or NONE}
  long find(int order, long from) {
    return from >= capacity() ? NONE : find(root, 0, order, from);
  }

  private static long find(GranuleNode node, long base, int order, long from) {
    if (order > node.order) {
      return NONE;
    }
    int shift = node.childShift;
    int first = childOf(node, base, from);
    if (order >= shift) {
      // Blocks of whole children. The child that `from` lies inside of is lost.
      int whole = from > childBase(node, base, first) ? first + 1 : first;
      long runs = GranuleWord.alignedRuns(node.free, order - shift);
      runs = whole == GranuleWord.BITS ? 0 : runs & GranuleWord.atOrAbove(whole);
      return runs == 0 ? NONE : childBase(node, base, GranuleWord.lowest(runs));
    }
    // Two rounds at most: only the child that `from` lies inside of can disappoint.
    long candidates = node.atLeast(order) & GranuleWord.atOrAbove(first);
    while (candidates != 0) {
      int i = GranuleWord.lowest(candidates);
      long found = findInChild(node, i, childBase(node, base, i), order, from);
      if (found != NONE) {
        return found;
      }
      candidates &= candidates - 1;
    }
    return NONE;
  }

  private static long findInChild(GranuleNode node, int i, long base, int order, long from) {
    if (GranuleWord.isSet(node.free, i)) {
      long block = GranuleWord.bit(order);
      long start = from <= base ? base : (from + block - 1) & -block;
      return start < base + GranuleWord.bit(node.childShift) ? start : NONE;
    }
    if (node.level > 1) {
      return find(node.child(i), base, order, from);
    }
    long runs = GranuleWord.alignedRuns(node.freeWord(i), order);
    if (from > base) {
      runs &= GranuleWord.atOrAbove((int) (from - base));
    }
    return runs == 0 ? NONE : base + GranuleWord.lowest(runs);
  }

  /// Makes the first granules of the lowest free aligned block at or above a granule a range.
  ///
  /// @param order log2 of the granules of the block
  /// @param count granules to take, at most those of the block
  /// {@return the first granule taken, or NONE when that block would reach beyond the last granule allowed, or there is none}
  long takeLowest(int order, long count, long from, long last) {
    if (from > last || from >= capacity()) {
      return NONE;
    }
    if (count < GranuleWord.BITS && order < GranuleWord.SHIFT) {
      long start = lowest.take(order, (int) count, from, last);
      if (start != NONE) {
        return start;
      }
    }
    long start = find(order, from);
    // A later block would only end further up, so the lowest one decides.
    if (start == NONE || count - 1 > last - start) {
      return NONE;
    }
    take(start, start + count - 1);
    return start;
  }

  /// Makes free granules a range.
  void take(long from, long to) {
    lowest.forget();
    take(root, 0, from, to, from);
  }

  /// Part of the range [from, to] that starts at `startAt`, clipped to the node.
  private void take(GranuleNode node, long base, long from, long to, long startAt) {
    int first = childOf(node, base, from);
    int last = childOf(node, base, to);
    boolean firstWhole = from == childBase(node, base, first);
    boolean lastWhole = to == childLast(node, base, last);
    if (first == last) {
      if (!firstWhole || !lastWhole) {
        takePart(node, first, childBase(node, base, first), from, to, startAt);
        return;
      }
    } else if (!firstWhole) {
      takePart(
          node, first, childBase(node, base, first), from, childLast(node, base, first), startAt);
    }
    if (first != last && !lastWhole) {
      takePart(node, last, childBase(node, base, last), childBase(node, base, last), to, startAt);
    }
    int wholeFirst = firstWhole ? first : first + 1;
    int wholeLast = lastWhole ? last : last - 1;
    if (wholeFirst <= wholeLast) {
      boolean starts = startAt == childBase(node, base, wholeFirst);
      node.takeWhole(
          GranuleWord.bits(wholeFirst, wholeLast), starts ? GranuleWord.bit(wholeFirst) : 0);
    }
  }

  private void takePart(GranuleNode node, int i, long base, long from, long to, long startAt) {
    long bit = GranuleWord.bit(i);
    int before = node.childShift;
    boolean wasFree = (node.free & bit) != 0;
    node.free &= ~bit;
    node.partial |= bit;
    int after;
    boolean solid;
    boolean solidStarts;
    if (node.level == 1) {
      long freeWord = wasFree ? -1L : node.freeWord(i);
      long startWord = wasFree ? 0 : node.startWord(i);
      before = wasFree ? before : GranuleWord.order(freeWord);
      freeWord &= ~GranuleWord.bits((int) (from - base), (int) (to - base));
      if (startAt >= base) {
        startWord |= GranuleWord.bit((int) (from - base));
      }
      node.setWords(i, freeWord, startWord);
      after = GranuleWord.order(freeWord);
      solid = (freeWord | startWord & ~GranuleWord.bit(0)) == 0;
      solidStarts = startWord != 0;
    } else {
      GranuleNode child = wasFree ? spare(node.level - 1) : node.child(i);
      node.setChild(i, child);
      before = wasFree ? before : child.order;
      take(child, base, from, to, startAt);
      after = child.order;
      solid = child.isSolid();
      solidStarts = child.start != 0;
      if (solid) {
        node.setChild(i, null);
        keep(child);
      }
    }
    if (solid) {
      node.partial &= ~bit;
      node.start |= solidStarts ? bit : 0;
    }
    node.childChanged(i, before, after);
  }

  /// Makes the range free that starts at a granule.
  ///
  /// {@return its granules, 0 when none starts there}
  long giveFrom(long granule) {
    long count = lowest.give(granule);
    if (count == 0 && starts(granule)) {
      count = boundary(granule + 1) - granule;
      give(granule, granule + count - 1);
    }
    return count;
  }

  /// Makes a range free. It must be one, whole.
  void give(long from, long to) {
    lowest.forget();
    give(root, 0, from, to);
  }

  private void give(GranuleNode node, long base, long from, long to) {
    int first = childOf(node, base, from);
    int last = childOf(node, base, to);
    boolean firstWhole = from == childBase(node, base, first);
    boolean lastWhole = to == childLast(node, base, last);
    if (first == last) {
      if (!firstWhole || !lastWhole) {
        givePart(node, first, childBase(node, base, first), from, to);
        return;
      }
    } else if (!firstWhole) {
      givePart(node, first, childBase(node, base, first), from, childLast(node, base, first));
    }
    if (first != last && !lastWhole) {
      givePart(node, last, childBase(node, base, last), childBase(node, base, last), to);
    }
    int wholeFirst = firstWhole ? first : first + 1;
    int wholeLast = lastWhole ? last : last - 1;
    if (wholeFirst <= wholeLast) {
      node.giveWhole(GranuleWord.bits(wholeFirst, wholeLast));
    }
  }

  private void givePart(GranuleNode node, int i, long base, long from, long to) {
    int before;
    int after;
    boolean free;
    if (node.level == 1) {
      long given = GranuleWord.bits((int) (from - base), (int) (to - base));
      before = GranuleWord.order(node.freeWord(i));
      node.setWords(i, node.freeWord(i) | given, node.startWord(i) & ~given);
      after = GranuleWord.order(node.freeWord(i));
      free = node.freeWord(i) == -1L;
    } else {
      GranuleNode child = node.child(i);
      before = child.order;
      give(child, base, from, to);
      after = child.order;
      free = child.isFree();
      if (free) {
        node.setChild(i, null);
        keep(child);
      }
    }
    if (free) {
      node.partial &= ~GranuleWord.bit(i);
      node.free |= GranuleWord.bit(i);
    }
    node.childChanged(i, before, after);
  }

  /// {@return the lowest granule, at or above one, that is free or starts a range; `capacity()` when there is none}
  long boundary(long from) {
    long found = from >= capacity() ? NONE : boundary(root, 0, from);
    return found == NONE ? capacity() : found;
  }

  private static long boundary(GranuleNode node, long base, long from) {
    // Two rounds at most: a partial child that is looked at from its first granule always holds a
    // boundary.
    long candidates =
        (node.free | node.start | node.partial) & GranuleWord.atOrAbove(childOf(node, base, from));
    while (candidates != 0) {
      int i = GranuleWord.lowest(candidates);
      long child = childBase(node, base, i);
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

  /// {@return the lowest granule at or above one that is not free; `capacity()` when there is none}
  long used(long from) {
    long found = from >= capacity() ? NONE : used(root, 0, from);
    return found == NONE ? capacity() : found;
  }

  private static long used(GranuleNode node, long base, long from) {
    long candidates = ~node.free & GranuleWord.atOrAbove(childOf(node, base, from));
    while (candidates != 0) {
      int i = GranuleWord.lowest(candidates);
      long child = childBase(node, base, i);
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
      long child = childBase(node, base, i);
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
      int i = childOf(node, base, granule);
      long child = childBase(node, base, i);
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

  private static int childOf(GranuleNode node, long base, long granule) {
    return granule <= base ? 0 : (int) ((granule - base) >>> node.childShift);
  }

  private static long childBase(GranuleNode node, long base, int index) {
    return base + ((long) index << node.childShift);
  }

  private static long childLast(GranuleNode node, long base, int index) {
    return childBase(node, base, index) + (GranuleWord.bit(node.childShift) - 1);
  }

  private GranuleNode spare(int level) {
    GranuleNode node = spares[level];
    if (node == null) {
      return new GranuleNode(level);
    }
    spares[level] = node.spare;
    node.spare = null;
    node.makeFree();
    return node;
  }

  private void keep(GranuleNode node) {
    node.spare = spares[node.level];
    spares[node.level] = node;
  }
}
