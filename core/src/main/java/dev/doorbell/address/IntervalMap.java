package dev.doorbell.address;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;

/// Disjoint inclusive ranges of unsigned 64-bit addresses, each with a value, sorted. Correct up to the last address.
///
/// **Shape** a directory over leaves of up to 128 entries: look-up is two binary searches; inserting and removing move
/// at most one leaf, and the directory once in some sixty times. A million entries are a normal size.
///
/// **Threads** none: callers lock. An iterator is good until the next change.
///
/// @param <V> the values
public final class IntervalMap<V> implements Iterable<IntervalMap.Entry<V>> {
  /// A range and what it holds.
  public record Entry<V>(AddressRange range, V value) {}

  /// Says what a piece of a range holds when a range is cut: for a mapping, the target moves along with the start.
  @FunctionalInterface
  public interface Cut<V> {
    /// {@return the value of a piece}
    ///
    /// @param value what the whole range holds
    /// @param whole the range that is cut
    /// @param piece the part of it that gets the returned value
    V piece(V value, AddressRange whole, AddressRange piece);
  }

  /// Leaves are merged with a neighbour when both together fill at most this much; half, so that the next insert does
  /// not split them again.
  private static final int MERGED = IntervalLeaf.CAPACITY / 2;

  private IntervalLeaf[] leaves = new IntervalLeaf[4];
  private long[] firsts = new long[4];
  private int leafCount;
  private int size;

  /// {@return how many ranges there are}
  public int size() {
    return size;
  }

  public boolean isEmpty() {
    return size == 0;
  }

  public void clear() {
    Arrays.fill(leaves, 0, leafCount, null);
    leafCount = 0;
    size = 0;
  }

  /// {@return the entry that contains an address}
  public Optional<Entry<V>> find(long address) {
    return floor(address).filter(e -> e.range().contains(address));
  }

  /// {@return the entry with the highest start at or below an address}
  public Optional<Entry<V>> floor(long address) {
    int leaf = leafOf(address);
    if (leaf < 0) {
      return Optional.empty();
    }
    return Optional.of(entry(leaf, leaves[leaf].floor(address)));
  }

  /// {@return the lowest entry that shares an address with a range}
  public Optional<Entry<V>> firstOverlap(AddressRange range) {
    long at = firstEndingAtOrAbove(range.start());
    if (at == END || Long.compareUnsigned(start(at), range.last()) > 0) {
      return Optional.empty();
    }
    return Optional.of(entry(leaf(at), index(at)));
  }

  public boolean overlaps(AddressRange range) {
    long at = firstEndingAtOrAbove(range.start());
    return at != END && Long.compareUnsigned(start(at), range.last()) <= 0;
  }

  /// {@return all entries that share an address with a range, ascending; each with its whole range}
  public List<Entry<V>> overlapping(AddressRange range) {
    List<Entry<V>> found = new ArrayList<>();
    for (long at = firstEndingAtOrAbove(range.start());
        at != END && Long.compareUnsigned(start(at), range.last()) <= 0;
        at = next(at)) {
      found.add(entry(leaf(at), index(at)));
    }
    return found;
  }

  /// Adds a range.
  ///
  /// @throws IllegalArgumentException when part of it is there; nothing is changed then
  public void insert(AddressRange range, V value) {
    Objects.requireNonNull(value);
    Optional<Entry<V>> other = firstOverlap(range);
    if (other.isPresent()) {
      throw new IllegalArgumentException(
          "range %s overlaps %s, which is already there".formatted(range, other.get().range()));
    }
    put(range.start(), range.last(), value);
  }

  /// Removes whatever lies within a range; an entry that reaches outside keeps that part, as a piece.
  ///
  /// {@return what was removed, ascending: ranges within `range`, with their values}
  public List<Entry<V>> remove(AddressRange range, Cut<V> cut) {
    if (!overlaps(range)) {
      return List.of();
    }
    cutBefore(range.start(), cut);
    if (range.last() != -1L) {
      cutBefore(range.last() + 1, cut);
    }
    List<Entry<V>> removed = overlapping(range);
    dropWhole(range);
    return removed;
  }

  /// Removes the entry that has exactly this range.
  ///
  /// {@return its value; empty when there is none, and nothing is changed then}
  public Optional<V> removeExact(AddressRange range) {
    Optional<Entry<V>> found = floor(range.start()).filter(e -> e.range().equals(range));
    found.ifPresent(e -> dropWhole(range));
    return found.map(Entry::value);
  }

  /// {@return the entries, ascending}
  @Override
  public Iterator<Entry<V>> iterator() {
    return new Iterator<>() {
      private long at = leafCount == 0 ? END : 0;

      @Override
      public boolean hasNext() {
        return at != END;
      }

      @Override
      public Entry<V> next() {
        if (at == END) {
          throw new NoSuchElementException("no entry after the last one");
        }
        Entry<V> e = entry(leaf(at), index(at));
        at = IntervalMap.this.next(at);
        return e;
      }
    };
  }

  @Override
  public String toString() {
    StringBuilder out = new StringBuilder("{");
    for (Entry<V> e : this) {
      out.append(out.length() == 1 ? "" : ", ").append(e.range()).append('=').append(e.value());
    }
    return out.append('}').toString();
  }

  // A position is a leaf's number and an index in it, in one long, so that walks allocate nothing.

  private static final long END = -1;

  private static long at(int leaf, int index) {
    return (long) leaf * IntervalLeaf.CAPACITY + index;
  }

  private static int leaf(long at) {
    return (int) (at / IntervalLeaf.CAPACITY);
  }

  private static int index(long at) {
    return (int) (at % IntervalLeaf.CAPACITY);
  }

  private long start(long at) {
    return leaves[leaf(at)].starts[index(at)];
  }

  private long next(long at) {
    if (index(at) + 1 < leaves[leaf(at)].size) {
      return at + 1;
    }
    return leaf(at) + 1 < leafCount ? at(leaf(at) + 1, 0) : END;
  }

  /// {@return position of the lowest entry whose last address is not below the given one, or END}
  private long firstEndingAtOrAbove(long address) {
    int leaf = leafOf(address);
    if (leaf < 0) {
      return leafCount == 0 ? END : 0;
    }
    int index = leaves[leaf].floor(address);
    long at = at(leaf, index);
    return Long.compareUnsigned(leaves[leaf].lasts[index], address) >= 0 ? at : next(at);
  }

  /// {@return number of the leaf that holds the floor of an address, or -1 when every entry starts above it}
  private int leafOf(long address) {
    int low = 0;
    int high = leafCount - 1;
    while (low <= high) {
      int mid = (low + high) >>> 1;
      if (Long.compareUnsigned(firsts[mid], address) <= 0) {
        low = mid + 1;
      } else {
        high = mid - 1;
      }
    }
    return high;
  }

  @SuppressWarnings("unchecked") // only V is ever stored
  private Entry<V> entry(int leaf, int index) {
    IntervalLeaf l = leaves[leaf];
    return new Entry<>(new AddressRange(l.starts[index], l.lasts[index]), (V) l.values[index]);
  }

  private void put(long start, long last, V value) {
    if (leafCount == 0) {
      addLeaf(0, new IntervalLeaf());
    }
    int leaf = Math.max(0, leafOf(start));
    if (leaves[leaf].size == IntervalLeaf.CAPACITY) {
      // Ascending inserts are the common case: splitting at the end keeps such leaves full.
      boolean ascending =
          leaf == leafCount - 1 && leaves[leaf].floor(start) == IntervalLeaf.CAPACITY - 1;
      int cut = ascending ? IntervalLeaf.CAPACITY - 1 : IntervalLeaf.CAPACITY / 2;
      addLeaf(leaf + 1, leaves[leaf].split(cut));
      leaf = Math.max(0, leafOf(start));
    }
    int index = leaves[leaf].floor(start) + 1;
    leaves[leaf].insert(index, start, last, value);
    firsts[leaf] = leaves[leaf].starts[0];
    size++;
  }

  /// Makes sure that no entry spans the given address and the one below it.
  private void cutBefore(long address, Cut<V> cut) {
    Optional<Entry<V>> spanning = find(address).filter(e -> e.range().start() != address);
    if (spanning.isEmpty()) {
      return;
    }
    AddressRange whole = spanning.get().range();
    AddressRange low = new AddressRange(whole.start(), address - 1);
    AddressRange high = new AddressRange(address, whole.last());
    V value = spanning.get().value();
    // Both pieces are asked for before anything is changed: a cut that throws leaves the map as it
    // was.
    V lowValue = Objects.requireNonNull(cut.piece(value, whole, low));
    V highValue = Objects.requireNonNull(cut.piece(value, whole, high));
    int leaf = leafOf(address);
    int index = leaves[leaf].floor(address);
    leaves[leaf].lasts[index] = low.last();
    leaves[leaf].values[index] = lowValue;
    put(high.start(), high.last(), highValue);
  }

  /// Drops the entries within a range; none reaches outside it.
  private void dropWhole(AddressRange range) {
    int leaf = Math.max(0, leafOf(range.start()));
    while (leaf < leafCount) {
      IntervalLeaf l = leaves[leaf];
      int from = range.start() == 0 ? 0 : l.floor(range.start() - 1) + 1;
      int to = l.floor(range.last()) + 1;
      boolean reachesFurther = to == l.size;
      if (to > from) {
        l.remove(from, to);
        size -= to - from;
      }
      if (l.size > 0) {
        firsts[leaf] = l.starts[0];
        leaf++;
      } else {
        leaf = dropEmptyLeaves(leaf, range);
      }
      if (!reachesFurther) {
        break;
      }
    }
    mergeAround(Math.max(0, leafOf(range.start())));
  }

  /// Drops an emptied leaf together with all that follow and lie wholly within the range, in one move of the directory.
  private int dropEmptyLeaves(int first, AddressRange range) {
    int end = first + 1;
    while (end < leafCount) {
      IntervalLeaf l = leaves[end];
      if (Long.compareUnsigned(l.starts[l.size - 1], range.last()) > 0) {
        break;
      }
      size -= l.size;
      end++;
    }
    dropLeaves(first, end);
    return first;
  }

  private void mergeAround(int leaf) {
    for (int left = Math.min(leaf + 1, leafCount - 2); left >= Math.max(0, leaf - 1); left--) {
      if (leaves[left].size + leaves[left + 1].size <= MERGED) {
        leaves[left].append(leaves[left + 1], 0);
        dropLeaves(left + 1, left + 2);
      }
    }
  }

  private void addLeaf(int at, IntervalLeaf leaf) {
    if (leafCount == leaves.length) {
      leaves = Arrays.copyOf(leaves, leafCount * 2);
      firsts = Arrays.copyOf(firsts, leafCount * 2);
    }
    System.arraycopy(leaves, at, leaves, at + 1, leafCount - at);
    System.arraycopy(firsts, at, firsts, at + 1, leafCount - at);
    leaves[at] = leaf;
    firsts[at] = leaf.starts[0];
    leafCount++;
  }

  private void dropLeaves(int from, int to) {
    System.arraycopy(leaves, to, leaves, from, leafCount - to);
    System.arraycopy(firsts, to, firsts, from, leafCount - to);
    int left = leafCount - (to - from);
    Arrays.fill(leaves, left, leafCount, null);
    leafCount = left;
  }
}
