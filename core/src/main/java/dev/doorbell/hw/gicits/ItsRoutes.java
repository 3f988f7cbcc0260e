package dev.doorbell.hw.gicits;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// What messages were translated to, by DeviceID and EventID: what an ITS caches of its tables.
///
/// Each outcome is one quadword that also names the *edition* of the tables that it was read from, and counts in that edition alone: so a
/// change of the tables drops all outcomes at once, and keeping one takes no lock. Editions are even numbers; of a message that meets a change half done,
/// whose edition is odd, nothing is found or kept. Rows of 64 events are made as they are needed, and stay. What was not translated is not kept.
///
/// **Threads** safe for use from many. Who keeps an outcome is inside a gate that is drained after each change; then an edition's number may come
/// again once {@link #clear} has been called ({@link #isLast}).
final class ItsRoutes {
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle ROWS = MethodHandles.arrayElementVarHandle(long[][].class);

  private static final Layout ROUTE_L = Layout.lsb0("kept route", 8);
  // spotless:off
  private static final Field INTID   = ROUTE_L.bits("INTID",               23,  0);
  private static final Field TARGET  = ROUTE_L.bits("processor number",    39, 24);
  private static final Field EDITION = ROUTE_L.bits("edition",             62, 40);
  private static final Field VALID   = ROUTE_L.bit ("valid",               63);
  // spotless:on

  static {
    ROUTE_L.seal();
  }

  private static final long STAMP = VALID.mask() | EDITION.mask();
  private static final int ROW_BITS = 6;
  private static final int ROW = 1 << ROW_BITS;

  // Between the places of two devices' first rows: odd, so that they do not meet for long.
  private static final int SPREAD = 33;

  // A row's first quadword is its key; the outcomes follow.
  private static final int KEY = 0;
  private static final int FIRST = 1;

  /// Rows at most: 2 MiB of outcomes. Others are then translated by the tables alone.
  private static final int MOST_ROWS = 4096;

  // Twice as many places as rows.
  private final long[][] rows = new long[2 * MOST_ROWS][];
  private final AtomicInteger count = new AtomicInteger();

  /// {@return an outcome}
  ///
  /// @param target a processor number of 16 bits
  /// @param intid of 24 bits
  static long of(int target, long intid) {
    return TARGET.place(target) | INTID.place(intid);
  }

  static int target(long route) {
    return TARGET.getInt(route);
  }

  static int intid(long route) {
    return INTID.getInt(route);
  }

  /// {@return whether what {@link #find} answered counts in an edition}
  static boolean isOf(long found, long edition) {
    return (found & STAMP) == stamp(edition);
  }

  private static long stamp(long edition) {
    return VALID.mask() | EDITION.place(edition & EDITION.max());
  }

  /// {@return whether what was kept in the editions up to this one has to be cleared before the next, whose number was there before}
  static boolean isLast(long edition) {
    return (edition & EDITION.max()) == 0;
  }

  /// {@return what is kept of an event: {@link #isOf} says whether it counts}
  long find(long deviceId, long eventId) {
    long[] row = row(key(deviceId, eventId));
    return row == null ? 0 : (long) LONGS.getOpaque(row, FIRST + within(eventId));
  }

  /// Keeps what an event was translated to by the tables of an edition.
  void keep(long deviceId, long eventId, long edition, long route) {
    if (isLast(edition)) {
      return;
    }
    long key = key(deviceId, eventId);
    long[] row = row(key);
    if (row == null) {
      row = add(key);
    }
    if (row != null) {
      LONGS.setOpaque(row, FIRST + within(eventId), stamp(edition) | route);
    }
  }

  /// Drops everything.
  void clear() {
    for (int at = 0; at < rows.length; at++) {
      long[] row = (long[]) ROWS.getAcquire(rows, at);
      for (int i = FIRST; row != null && i < row.length; i++) {
        LONGS.setOpaque(row, i, 0L);
      }
    }
  }

  private long @Nullable [] row(long key) {
    int at = place(key);
    while (true) {
      long[] row = (long[]) ROWS.getAcquire(rows, at);
      if (row == null || row[KEY] == key) {
        return row;
      }
      at = after(at);
    }
  }

  // The row of a key that had none, whoever makes it; null when there is no room.
  private long @Nullable [] add(long key) {
    if (count.get() >= MOST_ROWS) {
      return null;
    }
    long[] fresh = new long[FIRST + ROW];
    fresh[KEY] = key;
    int at = place(key);
    while (true) {
      long[] there = (long[]) ROWS.compareAndExchange(rows, at, (long[]) null, fresh);
      if (there == null) {
        count.incrementAndGet();
        return fresh;
      }
      if (there[KEY] == key) {
        return there;
      }
      at = after(at);
    }
  }

  // Neighbours, of devices and of rows, lie beside one another.
  private static int place(long key) {
    return (int) ((key >>> Integer.SIZE) * SPREAD + key) & 2 * MOST_ROWS - 1;
  }

  private static int after(int place) {
    return place + 1 & 2 * MOST_ROWS - 1;
  }

  private static long key(long deviceId, long eventId) {
    return deviceId << Integer.SIZE | eventId >>> ROW_BITS;
  }

  private static int within(long eventId) {
    return (int) eventId & ROW - 1;
  }
}
