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
///
/// A node of level 1 is a *leaf*. A {@link Stripe} changes leaves that it owns; what the nodes above know of an open one is then
/// `published`, not `order`.
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

  /// First granule, of a leaf that is in use; -1 otherwise.
  long base = -1;

  /// The stripe whose lock guards this leaf.
  @Nullable Stripe owner;

  /// Whether the owner has this leaf among its open ones.
  boolean open;

  /// What the nodes above an open leaf take its order for.
  int published;

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

  /// {@return granules of this node}
  long granules() {
    return GranuleWord.bit(childShift + GranuleWord.SHIFT);
  }

  /// {@return the child that holds a granule, the first one for what lies before}
  ///
  /// @param base first granule of this node
  int childOf(long base, long granule) {
    return granule <= base ? 0 : (int) ((granule - base) >>> childShift);
  }

  /// {@return the first granule of a child}
  long childBase(long base, int index) {
    return base + ((long) index << childShift);
  }

  /// {@return the last granule of a child}
  long childLast(long base, int index) {
    return childBase(base, index) + (GranuleWord.bit(childShift) - 1);
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

  /// Takes the lowest free granule of a leaf that has one.
  ///
  /// @param last the highest that may be taken
  /// {@return its number in the leaf, or -1 when it is higher}
  int takeLowest(long last) {
    int child = GranuleWord.lowest(atLeast[0]);
    boolean whole = GranuleWord.isSet(free, child);
    long before = whole ? -1L : freeWord(child);
    int bit = GranuleWord.lowest(before);
    int granule = (child << GranuleWord.SHIFT) + bit;
    if (granule > last) {
      return -1;
    }
    long after = before & ~GranuleWord.bit(bit);
    setWords(child, after, (whole ? 0 : startWord(child)) | GranuleWord.bit(bit));
    if (whole) {
      free &= ~GranuleWord.bit(child);
      partial |= GranuleWord.bit(child);
    }
    wordChanged(child, before, after);
    return granule;
  }

  /// Gives a range of a leaf back that begins and ends in one word, unless that would make all of the leaf free.
  ///
  /// @param granule its first granule's number in the leaf
  /// {@return its granules, or 0, which does not mean that no range starts there}
  int give(int granule) {
    int child = granule >>> GranuleWord.SHIFT;
    int bit = granule & (GranuleWord.BITS - 1);
    if (!GranuleWord.isSet(partial, child) || !GranuleWord.isSet(startWord(child), bit)) {
      return 0;
    }
    int end = end(child, bit);
    if (end == 0) {
      return 0;
    }
    long before = freeWord(child);
    long given = GranuleWord.bits(bit, end - 1);
    long after = before | given;
    if (after == -1L) {
      if ((free | GranuleWord.bit(child)) == -1L) {
        return 0;
      }
      partial &= ~GranuleWord.bit(child);
      free |= GranuleWord.bit(child);
    }
    setWords(child, after, startWord(child) & ~given);
    wordChanged(child, before, after);
    return end - bit;
  }

  /// {@return the granule of a word before which the range ends that starts at another, 0 when it goes on beyond the word or that is not known here}
  private int end(int child, int bit) {
    long ends = (freeWord(child) | startWord(child)) & ~GranuleWord.atOrBelow(bit);
    if (ends != 0) {
      return GranuleWord.lowest(ends);
    }
    int next = child + 1;
    if (next == GranuleWord.BITS) {
      return 0;
    }
    boolean ended =
        GranuleWord.isSet(partial, next)
            ? GranuleWord.isSet(freeWord(next) | startWord(next), 0)
            : GranuleWord.isSet(free | start, next);
    return ended ? GranuleWord.BITS : 0;
  }

  private void wordChanged(int child, long before, long after) {
    childChanged(child, GranuleWord.order(before), GranuleWord.order(after));
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
