package dev.doorbell.iova;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// A few threads' part in a {@link GranuleTree}: while its lock is held, the leaves that it owns may change, but not the nodes above them.
///
/// What the nodes above may not know yet is in the *open* leaves. Single granules come from the lowest of those as long as nothing that is
/// free lies below it elsewhere, so that a thread on its own gets the lowest granule always.
///
/// **Threads** {@link #claim} and {@link #release} are for all; the rest is for who has claimed it, or all of them ({@link Stripes#closeAll}).
final class Stripe {
  private static final VarHandle CLAIMED;
  private static final long NOWHERE = -1;
  private static final int OPEN = 8;
  private static final int SPINS = 64;

  static {
    try {
      CLAIMED = MethodHandles.lookup().findVarHandle(Stripe.class, "claimed", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /// Granules and ranges that were taken in this stripe, less those given back in it.
  long granules;

  long ranges;

  /// Whether its threads take single granules, which what they give back is then kept at hand for.
  boolean singles = true;

  /// Whether it may be claimed: who closes all stripes looks at those only.
  volatile boolean used;

  private volatile int claimed;
  // By address. Longer than needed: a stripe's fields and another's lie on cache lines of their
  // own.
  private final GranuleNode[] open = new GranuleNode[32];
  private int count;
  // A search that began at `from` found nothing free below `floor`, but in open leaves.
  private long from = NOWHERE;
  private long floor;

  void claim() {
    for (int spins = 0; !CLAIMED.compareAndSet(this, 0, 1); spins++) {
      pause(spins);
    }
  }

  void release() {
    CLAIMED.setRelease(this, 0);
  }

  /// Returns when nobody has claimed it, or who had has released it since.
  void awaitReleased() {
    for (int spins = 0; claimed != 0; spins++) {
      pause(spins);
    }
  }

  private static void pause(int spins) {
    if (spins < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  /// Takes a granule of an open leaf, if that is the lowest one that is free from a granule on.
  ///
  /// {@return the granule, or {@link GranuleTree#NONE}, which does not mean that there is none}
  long take(long from, long last) {
    if (from != this.from) {
      return GranuleTree.NONE;
    }
    for (int i = 0; i < count; i++) {
      GranuleNode leaf = open[i];
      if (leaf.base > floor) {
        return GranuleTree.NONE;
      }
      if (leaf.base < from) {
        // Begun inside of a leaf: the tree knows how.
        if (lowestOf(leaf, from) != GranuleTree.NONE) {
          return GranuleTree.NONE;
        }
      } else if (leaf.order >= 0) {
        int granule = leaf.takeLowest(last - leaf.base);
        if (granule < 0) {
          return GranuleTree.NONE;
        }
        if (leaf.order < 0 && leaf.published < 0) {
          closeAt(i);
        }
        granules++;
        ranges++;
        return leaf.base + granule;
      }
    }
    return GranuleTree.NONE;
  }

  /// Gives the range back that starts at a granule of a leaf of this stripe's.
  ///
  /// {@return its granules, or 0, which does not mean that no range starts there}
  int give(GranuleNode leaf, long granule) {
    if (!leaf.open && count == OPEN) {
      return 0;
    }
    int before = leaf.order;
    int given = leaf.give((int) (granule - leaf.base));
    if (given != 0) {
      if (!leaf.open) {
        open(leaf, before);
      }
      granules -= given;
      ranges--;
    }
    return given;
  }

  /// {@return the lowest free granule of the open leaves from a granule on, or {@link GranuleTree#NONE}}
  long lowest(long from) {
    for (int i = 0; i < count; i++) {
      long found = lowestOf(open[i], from);
      if (found != GranuleTree.NONE) {
        return found;
      }
    }
    return GranuleTree.NONE;
  }

  private static long lowestOf(GranuleNode leaf, long from) {
    return from - leaf.base < GranuleTree.LEAF
        ? GranuleTree.find(leaf, leaf.base, 0, from)
        : GranuleTree.NONE;
  }

  /// Opens a leaf that no stripe has open, if there is a place.
  void adopt(GranuleNode leaf) {
    if (count < OPEN) {
      leaf.owner = this;
      open(leaf, leaf.order);
    }
  }

  /// Notes that a search from a granule on found nothing free below the leaf that begins at another.
  void searched(long from, long floor) {
    this.from = from;
    this.floor = floor;
  }

  /// Notes that granules from one on became free by way of the tree.
  void freed(long granule) {
    if (granule < floor) {
      from = NOWHERE;
    }
  }

  /// Tells the nodes above what is free in the open leaves; closes the upper half when no other could be opened.
  void publish(GranuleTree tree) {
    for (int i = count - 1; i >= 0; i--) {
      tree.publish(open[i]);
      if (open[i].order < 0) {
        closeAt(i);
      }
    }
    if (count == OPEN) {
      floor = Math.min(floor, open[OPEN / 2].base);
      while (count > OPEN / 2) {
        closeAt(count - 1);
      }
    }
  }

  /// Notes that the nodes above know the open leaves as they are.
  void published() {
    for (int i = 0; i < count; i++) {
      open[i].published = open[i].order;
    }
  }

  /// Closes all leaves, which the nodes above know as they are: for a thread that takes no single granules they would have to be told of each time.
  void shut() {
    if (count != 0) {
      from = NOWHERE;
      while (count != 0) {
        open[--count].open = false;
      }
    }
  }

  /// Takes a leaf from the open ones.
  void close(GranuleNode leaf) {
    for (int i = 0; i < count; i++) {
      if (open[i] == leaf) {
        closeAt(i);
        return;
      }
    }
  }

  private void closeAt(int index) {
    open[index].open = false;
    count--;
    for (int i = index; i < count; i++) {
      open[i] = open[i + 1];
    }
  }

  private void open(GranuleNode leaf, int published) {
    leaf.open = true;
    leaf.published = published;
    int i = count;
    for (; i > 0 && open[i - 1].base > leaf.base; i--) {
      open[i] = open[i - 1];
    }
    open[i] = leaf;
    count++;
  }
}
