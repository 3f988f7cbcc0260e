package dev.doorbell.iova;

/// The way from the root of a {@link GranuleTree} down to one word, and up again as far as a change of it shows.
///
/// Most ranges are small, begin and end within one word, and leave the largest free block of its node as it was: such a change costs one
/// way down and no way up. What makes or drops a node, or spans words, is the tree's own affair: the methods then say no, and nothing is
/// changed.
///
/// **Threads** none, as the tree.
final class GranulePath {
  private final GranuleNode root;
  // By level: the nodes passed, and which of their children. What is at level 1 has the word.
  private final GranuleNode[] nodes;
  private final int[] children;
  private long base;

  GranulePath(GranuleNode root) {
    this.root = root;
    this.nodes = new GranuleNode[root.level + 1];
    this.children = new int[root.level + 1];
  }

  /// Takes the lowest granules at or above one that begin a free aligned block, if such a block is found in a word with details at the
  /// first attempt.
  ///
  /// @param order log2 of the granules of the block
  /// @param count granules to take, at most those of the block and less than a word
  /// @param last the highest granule that may be taken
  /// {@return the first granule taken, or {@link GranuleTree#NONE}, which does not mean that there is none}
  long take(int order, int count, long from, long last) {
    if (!descend(order, from)) {
      return GranuleTree.NONE;
    }
    GranuleNode leaf = nodes[1];
    int child = children[1];
    long free = leaf.freeWord(child);
    long runs = GranuleWord.alignedRuns(free, order);
    if (from > base) {
      runs &= GranuleWord.atOrAbove((int) (from - base));
    }
    if (runs == 0) {
      return GranuleTree.NONE;
    }
    int bit = GranuleWord.lowest(runs);
    if (count - 1 > last - base - bit) {
      return GranuleTree.NONE;
    }
    long taken = GranuleWord.bits(bit, bit + count - 1);
    leaf.setWords(child, free & ~taken, leaf.startWord(child) | GranuleWord.bit(bit));
    ascend(1, GranuleWord.order(free), GranuleWord.order(free & ~taken));
    return base + bit;
  }

  /// Gives the range back that starts at a granule, if it ends before the end of a word with details and something else of that word
  /// stays taken.
  ///
  /// {@return its granules, or 0, which does not mean that no range starts there}
  int give(long granule) {
    if (!descendTo(granule)) {
      return 0;
    }
    GranuleNode leaf = nodes[1];
    int child = children[1];
    int bit = (int) (granule - base);
    long free = leaf.freeWord(child);
    long start = leaf.startWord(child);
    long ends = bit == GranuleWord.BITS - 1 ? 0 : (free | start) & GranuleWord.atOrAbove(bit + 1);
    if (!GranuleWord.isSet(start, bit) || ends == 0) {
      return 0;
    }
    int end = GranuleWord.lowest(ends);
    long after = free | GranuleWord.bits(bit, end - 1);
    if (after == -1L) {
      return 0;
    }
    leaf.setWords(child, after, start & ~GranuleWord.bit(bit));
    ascend(1, GranuleWord.order(free), GranuleWord.order(after));
    return end - bit;
  }

  /// Tells the nodes above a leaf what is free in it.
  void publish(GranuleNode leaf) {
    if (leaf.published != leaf.order && leaf != root) {
      descendTo(leaf.base);
      ascend(2, leaf.published, leaf.order);
    }
    leaf.published = leaf.order;
  }

  private boolean descend(int order, long from) {
    GranuleNode node = root;
    base = 0;
    while (true) {
      int first = from <= base ? 0 : (int) ((from - base) >>> node.childShift);
      long candidates =
          order >= node.childShift ? 0 : node.atLeast(order) & GranuleWord.atOrAbove(first);
      if (candidates == 0 || !step(node, GranuleWord.lowest(candidates))) {
        return false;
      }
      if (node.level == 1) {
        return true;
      }
      node = node.child(children[node.level]);
    }
  }

  private boolean descendTo(long granule) {
    GranuleNode node = root;
    base = 0;
    while (step(node, (int) ((granule - base) >>> node.childShift))) {
      if (node.level == 1) {
        return true;
      }
      node = node.child(children[node.level]);
    }
    return false;
  }

  private boolean step(GranuleNode node, int child) {
    nodes[node.level] = node;
    children[node.level] = child;
    base += (long) child << node.childShift;
    return GranuleWord.isSet(node.partial, child);
  }

  private void ascend(int from, int before, int after) {
    int was = before;
    int is = after;
    for (int level = from; was != is; level++) {
      GranuleNode node = nodes[level];
      int order = node.order;
      node.childChanged(children[level], was, is);
      if (level == root.level) {
        return;
      }
      was = order;
      is = node.order;
    }
  }
}
