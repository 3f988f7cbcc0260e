package dev.doorbell.iova;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A node of a {@link GranuleTree}: 64 children of equal size, aligned to it.
///
/// A child is *free* (all of it), *partial* (it has details of its own) or *solid* (neither: one range covers all of it).
/// `start` marks solid children whose first granule starts a range. The details of a partial child are two words at
/// level 1, where a child is 64 granules, and a node above.
///
/// `atLeast[k]` marks the children that hold a free aligned block of 2^k granules, so that the lowest one that can
/// serve a request is found without looking at any; `order` is that of the whole node.
final class GranuleNode {
  /// Height above the words, from 1.
  final int level;

  /// log2 of the granules in a child.
  final int childShift;

  long free;
  long start;
  long partial;

  /// log2 of the largest free aligned block in this node, -1 when there is none.
  int order;

  /// Next spare node of this level while this one is unused.
  @Nullable GranuleNode spare;

  private final long[] atLeast;
  // Bit k is set when atLeast[k] is not empty.
  private long orders;
  private final @Nullable GranuleNode[] children;
  private final long[] words;

  GranuleNode(int level) {
    this.level = level;
    this.childShift = level * GranuleWord.SHIFT;
    this.atLeast = new long[childShift];
    this.children = new GranuleNode[level == 1 ? 0 : GranuleWord.BITS];
    this.words = new long[level == 1 ? 2 * GranuleWord.BITS : 0];
    makeFree();
  }

  /// Makes every granule free. No child may have details.
  void makeFree() {
    free = -1L;
    start = 0;
    partial = 0;
    order = childShift + GranuleWord.SHIFT;
    Arrays.fill(atLeast, -1L);
    orders = GranuleWord.atOrBelow(childShift - 1);
  }

  boolean isFree() {
    return free == -1L;
  }

  /// {@return whether one range covers all of the node, so that it needs no details}
  boolean isSolid() {
    return (free | partial | start & ~GranuleWord.bit(0)) == 0;
  }

  /// {@return the children that hold a free aligned block of 2^order granules, which must be smaller than a child}
  long atLeast(int order) {
    return atLeast[order];
  }

  GranuleNode child(int index) {
    return Objects.requireNonNull(children[index]);
  }

  void setChild(int index, @Nullable GranuleNode child) {
    children[index] = child;
  }

  /// {@return free granules of a partial child of level 1}
  long freeWord(int index) {
    return words[index];
  }

  /// {@return granules of a partial child of level 1 that start a range}
  long startWord(int index) {
    return words[GranuleWord.BITS + index];
  }

  void setWords(int index, long freeWord, long startWord) {
    words[index] = freeWord;
    words[GranuleWord.BITS + index] = startWord;
  }

  /// Makes children solid; none of them has details.
  void takeWhole(long which, long starting) {
    free &= ~which;
    start = start & ~which | starting;
    for (int k = 0; k < childShift; k++) {
      atLeast[k] &= ~which;
      if (atLeast[k] == 0) {
        orders &= ~GranuleWord.bit(k);
      }
    }
    refreshOrder();
  }

  /// Makes children free; none of them has details.
  void giveWhole(long which) {
    free |= which;
    start &= ~which;
    for (int k = 0; k < childShift; k++) {
      atLeast[k] |= which;
    }
    orders = GranuleWord.atOrBelow(childShift - 1);
    refreshOrder();
  }

  /// Notes that the largest block of a child that is not free changed.
  ///
  /// @param before its order before, `childShift` when it was free
  /// @param after its order now
  void childChanged(int index, int before, int after) {
    long bit = GranuleWord.bit(index);
    for (int k = after + 1; k <= before && k < childShift; k++) {
      atLeast[k] &= ~bit;
      if (atLeast[k] == 0) {
        orders &= ~GranuleWord.bit(k);
      }
    }
    for (int k = before + 1; k <= after && k < childShift; k++) {
      atLeast[k] |= bit;
      orders |= GranuleWord.bit(k);
    }
    refreshOrder();
  }

  private void refreshOrder() {
    order = free == 0 ? GranuleWord.highest(orders) : childShift + GranuleWord.order(free);
  }
}
