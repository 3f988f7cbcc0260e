package dev.doorbell.iova;

import org.jspecify.annotations.Nullable;

/// Which granules of a space are free, and where the ranges in the rest start: a tree of 64-way bitmaps that exists only
/// where a range ends within one of its nodes, indexed by the size of the free aligned blocks below each node.
///
/// Granules are numbered from 0. Every operation looks at two nodes a level at most, whatever the space holds: 9 levels
/// for 2^52 granules, 4 for 2^20. Nothing is allocated once as many nodes have existed as are needed: unused ones are
/// kept. Dense ranges cost two bits a granule and 2 % for the nodes above.
///
/// **Threads** none: {@link Stripes} keeps them apart.
final class GranuleTree {
  static final long NONE = -1;

  /// log2 of the granules of a leaf.
  static final int LEAF_ORDER = 2 * GranuleWord.SHIFT;

  /// Granules of a leaf.
  static final long LEAF = 1L << LEAF_ORDER;

  private final GranuleNode root;
  private final @Nullable GranuleNode[] spares;
  private final GranulePath path;
  private final TakenGranules taken;
  // Leaves that were looked up, by the low bits of their number; others are found from the root.
  private final @Nullable GranuleNode[] leaves = new GranuleNode[1024];
  private @Nullable Stripe current;
  private boolean unowned;

  /// @param granules size of the space, at most 2^52
  GranuleTree(long granules) {
    int level = 1;
    while (level < 8 && granules > GranuleWord.bit((level + 1) * GranuleWord.SHIFT)) {
      level++;
    }
    this.root = new GranuleNode(level);
    this.spares = new GranuleNode[level + 1];
    this.path = new GranulePath(root);
    this.taken = new TakenGranules(root);
    if (level == 1) {
      root.base = 0;
    }
  }

  /// {@return granules that the tree can tell apart, a power of two not below the size of the space}
  long capacity() {
    return root.granules();
  }

  /// {@return where the ranges in it lie}
  TakenGranules taken() {
    return taken;
  }

  /// Makes a stripe the owner of the leaves that come.
  void worksFor(Stripe stripe) {
    current = stripe;
    if (root.level == 1 && root.owner == null) {
      root.owner = stripe;
    }
  }

  /// {@return whether there may be leaves of no stripe: those of what was taken before there was one}
  boolean hasUnowned() {
    return unowned;
  }

  /// {@return the leaf that holds a granule, if there is one}
  @Nullable GranuleNode leafOf(long granule) {
    long leafBase = granule & -LEAF;
    int place = (int) (granule / LEAF) & (leaves.length - 1);
    GranuleNode known = leaves[place];
    if (known != null && known.base == leafBase) {
      return known;
    }
    GranuleNode node = root;
    long base = 0;
    while (node.level > 1) {
      int i = node.childOf(base, granule);
      if (!GranuleWord.isSet(node.partial, i)) {
        return null;
      }
      base = node.childBase(base, i);
      node = node.child(i);
    }
    leaves[place] = node;
    return node;
  }

  /// See {@link GranulePath#publish}.
  void publish(GranuleNode leaf) {
    path.publish(leaf);
  }

  /// {@return start of the lowest free aligned block of 2^order granules at or above a granule, or NONE}
  long find(int order, long from) {
    return from >= capacity() ? NONE : find(root, 0, order, from);
  }

  /// The same within one node.
  ///
  /// @param from at or below the last granule of the node
  static long find(GranuleNode node, long base, int order, long from) {
    if (order > node.order) {
      return NONE;
    }
    int shift = node.childShift;
    int first = node.childOf(base, from);
    if (order >= shift) {
      // Blocks of whole children. The child that `from` lies inside of is lost.
      int whole = from > node.childBase(base, first) ? first + 1 : first;
      long runs = GranuleWord.alignedRuns(node.free, order - shift);
      runs = whole == GranuleWord.BITS ? 0 : runs & GranuleWord.atOrAbove(whole);
      return runs == 0 ? NONE : node.childBase(base, GranuleWord.lowest(runs));
    }
    // Two rounds at most: only the child that `from` lies inside of can disappoint.
    long candidates = node.atLeast(order) & GranuleWord.atOrAbove(first);
    while (candidates != 0) {
      int i = GranuleWord.lowest(candidates);
      long found = findInChild(node, i, node.childBase(base, i), order, from);
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
      long start = path.take(order, (int) count, from, last);
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
    take(root, 0, from, to, from);
  }

  /// Part of the range [from, to] that starts at `startAt`, clipped to the node.
  private void take(GranuleNode node, long base, long from, long to, long startAt) {
    int first = node.childOf(base, from);
    int last = node.childOf(base, to);
    boolean firstWhole = from == node.childBase(base, first);
    boolean lastWhole = to == node.childLast(base, last);
    if (first == last) {
      if (!firstWhole || !lastWhole) {
        takePart(node, first, node.childBase(base, first), from, to, startAt);
        return;
      }
    } else if (!firstWhole) {
      takePart(
          node, first, node.childBase(base, first), from, node.childLast(base, first), startAt);
    }
    if (first != last && !lastWhole) {
      takePart(node, last, node.childBase(base, last), node.childBase(base, last), to, startAt);
    }
    int wholeFirst = firstWhole ? first : first + 1;
    int wholeLast = lastWhole ? last : last - 1;
    if (wholeFirst <= wholeLast) {
      boolean starts = startAt == node.childBase(base, wholeFirst);
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
      GranuleNode child = wasFree ? spare(node.level - 1, base) : node.child(i);
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
    long count = path.give(granule);
    if (count == 0 && taken.starts(granule)) {
      count = taken.boundary(granule + 1) - granule;
      give(granule, granule + count - 1);
    }
    return count;
  }

  /// Makes a range free. It must be one, whole.
  void give(long from, long to) {
    give(root, 0, from, to);
  }

  private void give(GranuleNode node, long base, long from, long to) {
    int first = node.childOf(base, from);
    int last = node.childOf(base, to);
    boolean firstWhole = from == node.childBase(base, first);
    boolean lastWhole = to == node.childLast(base, last);
    if (first == last) {
      if (!firstWhole || !lastWhole) {
        givePart(node, first, node.childBase(base, first), from, to);
        return;
      }
    } else if (!firstWhole) {
      givePart(node, first, node.childBase(base, first), from, node.childLast(base, first));
    }
    if (first != last && !lastWhole) {
      givePart(node, last, node.childBase(base, last), node.childBase(base, last), to);
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

  private GranuleNode spare(int level, long base) {
    GranuleNode node = spares[level];
    if (node == null) {
      node = new GranuleNode(level);
    } else {
      spares[level] = node.spare;
      node.spare = null;
      node.makeFree();
    }
    if (level == 1) {
      node.base = base;
      node.owner = current;
      unowned |= current == null;
    }
    return node;
  }

  private void keep(GranuleNode node) {
    if (node.open && node.owner != null) {
      node.owner.close(node);
    }
    node.base = -1;
    node.spare = spares[node.level];
    spares[node.level] = node;
  }
}
