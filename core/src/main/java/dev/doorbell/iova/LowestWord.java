package dev.doorbell.iova;

/// Small ranges, taken and given within one word of a {@link GranuleTree}; it remembers where the lowest free granule is.
///
/// Single granules come one after another from the same word until it is used up, and a granule that is given back below it is the next to
/// be taken: both are found without a way down the tree.
///
/// **Threads** none, as the tree.
final class LowestWord {
  private static final long NOWHERE = -1;

  // Leads to the word, while `from` is not NOWHERE.
  private GranulePath word;
  private GranulePath other;
  // No granule between this one and the word is free.
  private long from = NOWHERE;

  LowestWord(GranuleNode root) {
    word = new GranulePath(root);
    other = new GranulePath(root);
  }

  /// See {@link GranulePath#take}.
  long take(int order, int count, long from, long last) {
    if (order > 0) {
      return other.take(order, count, from, last);
    }
    if (from == this.from) {
      long start = word.takeHere(order, count, from, last);
      if (start != GranuleTree.NONE) {
        return start;
      }
    }
    long start = word.take(order, count, from, last);
    this.from = start == GranuleTree.NONE ? NOWHERE : from;
    return start;
  }

  /// See {@link GranulePath#give}.
  int give(long granule) {
    int count = other.give(granule);
    if (count != 0 && from != NOWHERE && granule >= from && granule < word.base()) {
      GranulePath lower = other;
      other = word;
      word = lower;
    }
    return count;
  }

  /// Forgets the word: nodes come or go, or granules become free by another way.
  void forget() {
    from = NOWHERE;
  }
}
