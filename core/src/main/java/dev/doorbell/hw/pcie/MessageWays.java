package dev.doorbell.hw.pcie;

import dev.doorbell.bus.DmaPort;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Where a function's messages leave its hierarchy, decided once for each address and each state of the hierarchy's configuration spaces.
///
/// A way counts while nothing has changed below the root complex that could lead it elsewhere: a bridge's bus numbers, windows, ACS or bus mastering, a
/// peer's BARs, a function that was added. All of a hierarchy count such changes together, after each. A write that is blocked, or that a peer takes,
/// has no way here.
///
/// **Threads** safe for use from many.
final class MessageWays {
  /// The doorbells that a function's messages go to, each on a page of its own; others are led hop by hop.
  private static final int KEPT = 8;

  private static final int PAGE_BITS = 12;

  private final AtomicLong changes;
  private final @Nullable Way[] ways = new Way[KEPT];

  /// @param changes of the hierarchy
  MessageWays(AtomicLong changes) {
    this.changes = changes;
  }

  /// The way of writes to one address.
  ///
  /// @param state the hierarchy's changes before it was decided
  /// @param requesterId with which they leave
  /// @param out where they go
  record Way(long state, long address, int requesterId, DmaPort out) {}

  /// {@return the way to an address, if it is known and still right}
  @Nullable Way find(long address) {
    Way there = ways[place(address)];
    return there != null && there.address == address && there.state == changes.get() ? there : null;
  }

  /// Looks for the way to an address, and keeps it unless another that is still right has its place.
  ///
  /// {@return the way; null when there is none, or no place for it}
  @Nullable Way look(BusModel bus, FunctionModel from, int position, long address) {
    // First: what changes from here on makes the way wrong.
    long state = changes.get();
    int place = place(address);
    Way there = ways[place];
    if (there != null && there.state == state) {
      return null;
    }
    Way found = bus.wayUp(from, bus.requesterId(position), address, state);
    if (found != null) {
      ways[place] = found;
    }
    return found;
  }

  /// Counts a change of the function's own, after it was made.
  void changedIf(boolean changed) {
    if (changed) {
      changes.incrementAndGet();
    }
  }

  private static int place(long address) {
    return (int) (address >>> PAGE_BITS) & KEPT - 1;
  }
}
