package dev.doorbell.iova;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/// The {@link Stripe}s of a {@link GranuleTree}: threads that take and give small ranges each have a part of the tree's leaves, under a
/// lock of that part; who needs the whole tree shuts all of them out.
///
/// Then the tree is exact: what a stripe had kept to itself has been told to the nodes above.
///
/// **Threads** {@link #take} and {@link #give} are for all. {@link #closeAll} to {@link #openAll} is for the thread that holds this object's monitor;
/// what is marked so may be called between these only.
final class Stripes {
  private static final VarHandle CLOSED;
  private static final int HASH = 0x9E3779B1;
  private static final int MOST_BITS = 4;

  /// Looks before a thread sleeps: most of those who close all are done in a microsecond.
  private static final int SPINS = 100;

  static {
    try {
      CLOSED = MethodHandles.lookup().findVarHandle(Stripes.class, "closed", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final GranuleTree tree;
  private final ReservedRanges reserved;
  private final Stripe[] stripes;
  private final int shift;
  // Those that somebody has claimed ever: nobody needs to wait for the others.
  private Stripe[] used = {};
  private volatile boolean closed;

  Stripes(GranuleTree tree, ReservedRanges reserved) {
    this.tree = tree;
    this.reserved = reserved;
    int processors = Runtime.getRuntime().availableProcessors();
    int bits = Math.min(MOST_BITS, Integer.SIZE + 1 - Integer.numberOfLeadingZeros(processors - 1));
    this.shift = Integer.SIZE - bits;
    this.stripes = new Stripe[1 << bits];
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new Stripe();
    }
  }

  /// Takes a single granule without the whole tree.
  ///
  /// {@return the granule, or {@link GranuleTree#NONE}, which does not mean that there is none}
  long take(long from, long last) {
    Stripe stripe = mine();
    enter(stripe);
    try {
      return stripe.take(from, last);
    } finally {
      stripe.release();
    }
  }

  /// Gives a small range back without the whole tree.
  ///
  /// @param granule within the tree
  /// {@return its granules, or 0, which does not mean that no range starts there}
  int give(long granule) {
    Stripe stripe = mine();
    if (!stripe.singles) {
      return 0;
    }
    // The second time it is the owner's, if somebody else took the range.
    for (int i = 0; i < 2; i++) {
      Stripe owner;
      enter(stripe);
      try {
        GranuleNode leaf = tree.leafOf(granule);
        if (leaf == null || leaf.owner == null || reserved.holds(granule)) {
          return 0;
        }
        owner = leaf.owner;
        if (owner == stripe) {
          return stripe.give(leaf, granule);
        }
      } finally {
        stripe.release();
      }
      stripe = owner;
    }
    return 0;
  }

  /// Shuts all stripes out and makes the tree exact. With this object's monitor only.
  ///
  /// {@return the current thread's stripe}
  Stripe closeAll() {
    // First: whoever sees that the stripe may be claimed has to be waited for.
    Stripe mine = mine();
    use(mine);
    closed = true;
    for (Stripe stripe : used) {
      stripe.awaitReleased();
    }
    for (Stripe stripe : used) {
      stripe.publish(tree);
    }
    tree.worksFor(mine);
    return mine;
  }

  /// Ends {@link #closeAll}.
  void openAll() {
    for (Stripe stripe : used) {
      stripe.published();
    }
    CLOSED.setRelease(this, false);
  }

  /// Takes the lowest single granule, and opens the leaf that the next one will come from. While another stripe has the lowest one's leaf, one of the
  /// stripe's own or a free one serves instead, so that the two do not meet. Closed only.
  ///
  /// {@return the granule, or {@link GranuleTree#NONE}}
  long takeSingle(Stripe mine, long from, long last) {
    long start = place(mine, from, last);
    if (start == GranuleTree.NONE || start > last) {
      return GranuleTree.NONE;
    }
    tree.takeLowest(0, 1, start, start);
    adopt(mine, start);
    long next = place(mine, from, tree.capacity() - 1);
    mine.searched(from, next == GranuleTree.NONE ? tree.capacity() : next & -GranuleTree.LEAF);
    if (next != GranuleTree.NONE) {
      adopt(mine, next);
    }
    return start;
  }

  /// {@return where a single granule is to be taken}
  private long place(Stripe mine, long from, long last) {
    long lowest = tree.find(0, from);
    GranuleNode leaf = lowest == GranuleTree.NONE ? null : tree.leafOf(lowest);
    if (leaf == null || leaf.owner == null || leaf.owner == mine) {
      return lowest;
    }
    long better = mine.lowest(from);
    if (better == GranuleTree.NONE && leaf.open) {
      better = tree.find(GranuleTree.LEAF_ORDER, from);
    }
    return better == GranuleTree.NONE || better > last ? lowest : better;
  }

  private void adopt(Stripe mine, long granule) {
    GranuleNode leaf = tree.leafOf(granule);
    if (leaf != null && !leaf.open && leaf.order >= 0) {
      mine.adopt(leaf);
    }
  }

  /// Gives the range back that starts at a granule. Closed only.
  ///
  /// {@return its granules, 0 when none starts there}
  long giveWhole(Stripe mine, long granule) {
    long given = tree.giveFrom(granule);
    if (given != 0) {
      mine.freed(granule);
      mine.granules -= given;
      mine.ranges--;
      if (tree.hasUnowned()) {
        GranuleNode leaf = tree.leafOf(granule);
        if (leaf != null && leaf.owner == null) {
          leaf.owner = mine;
        }
      }
    }
    return given;
  }

  /// {@return granules taken and not given back} Closed only.
  long granules() {
    long sum = 0;
    for (Stripe stripe : stripes) {
      sum += stripe.granules;
    }
    return sum;
  }

  /// {@return ranges taken and not given back} Closed only.
  long ranges() {
    long sum = 0;
    for (Stripe stripe : stripes) {
      sum += stripe.ranges;
    }
    return sum;
  }

  private Stripe mine() {
    return stripes[((int) Thread.currentThread().threadId() * HASH) >>> shift];
  }

  private void enter(Stripe stripe) {
    if (!stripe.used) {
      use(stripe);
    }
    while (true) {
      for (int spins = 0; closed; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          awaitOpen();
        }
      }
      stripe.claim();
      if (!closed) {
        return;
      }
      stripe.release();
    }
  }

  private synchronized void use(Stripe stripe) {
    if (!stripe.used) {
      used = Arrays.copyOf(used, used.length + 1);
      used[used.length - 1] = stripe;
      stripe.used = true;
    }
  }

  // Whoever has closed all holds this monitor.
  private synchronized void awaitOpen() {}
}
