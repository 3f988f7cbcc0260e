package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// A domain of the reference.
final class Space {
  /// One user mapping.
  record Mapped(long start, long last, long pa, boolean write) {}

  /// A granule of a window that holds a doorbell's page.
  static final class Slot {
    final long page;
    int users;

    Slot(long page) {
      this.page = page;
    }
  }

  private static final long LEAST = 0x1000;

  final int shift;
  final boolean trusted;
  final Facts.Tables tables;
  private final int windows;
  long[] window = {};
  final TreeMap<Long, Mapped> maps = new TreeMap<>();
  final TreeMap<Long, Slot> slots = new TreeMap<>();

  /// @param windows as {@link Facts} has it
  Space(Facts.Tables tables, int windows, boolean trusted) {
    this.tables = tables;
    this.shift = tables.shift();
    this.windows = windows;
    this.trusted = trusted;
  }

  /// {@return what a doorbell's page at an IOVA has to start at a multiple of}
  long spacing(long at) {
    return windows == 0
        ? bytes()
        : Math.max(LEAST, powerOfTwo(Math.max(at, highest(parts()))) / windows);
  }

  /// {@return whether one more mapping leaves everything in windows of one size, each a power of two}
  boolean fits(long start, long bytes, long pa) {
    if (windows == 0) {
      return true;
    }
    List<long[]> all = parts();
    all.add(new long[] {start, bytes, pa});
    long whole = powerOfTwo(highest(all));
    for (long slot = whole; slot >= LEAST && slot * windows >= whole; slot /= 2) {
      long size = slot;
      if (all.stream().allMatch(p -> lies(p[0], p[1], p[2], size))) {
        return true;
      }
    }
    return false;
  }

  /// {@return whether whole slots and a last one, a power of two that its memory is aligned to, hold a mapping}
  private static boolean lies(long start, long bytes, long pa, long slot) {
    long rest = bytes % slot;
    boolean whole = bytes < slot || pa % slot == 0;
    return start % slot == 0
        && whole
        && (rest == 0 || Long.bitCount(rest) == 1 && (pa + bytes - rest) % rest == 0);
  }

  private List<long[]> parts() {
    List<long[]> out = new ArrayList<>();
    maps.values().forEach(m -> out.add(new long[] {m.start, m.last - m.start + 1, m.pa}));
    slots.forEach((at, slot) -> out.add(new long[] {at, bytes(), slot.page}));
    return out;
  }

  private static long highest(List<long[]> parts) {
    return parts.stream().mapToLong(p -> p[0] + p[1] - 1).max().orElse(0);
  }

  private static long powerOfTwo(long last) {
    return Long.highestOneBit(last) << 1;
  }

  long bytes() {
    return 1L << shift;
  }

  /// {@return whether a granule lies in the window}
  boolean isSlot(long at) {
    return window.length != 0
        && Long.compareUnsigned(at, window[0]) >= 0
        && Long.compareUnsigned(at + bytes() - 1, window[1]) <= 0;
  }

  /// {@return whether a function's doorbells may be mapped: their pages hold nothing else, or the owner is trusted}
  boolean contains(Facts.Function f) {
    return trusted
        || f.doors().stream()
            .allMatch(
                d -> page(d.at()) >= d.frameStart() && page(d.at()) + bytes() - 1 <= d.frameLast());
  }

  long page(long address) {
    return address & -bytes();
  }

  /// {@return whether the tables translate all of it}
  boolean isInside(long start, long last) {
    return Long.compareUnsigned(start, last) <= 0
        && tables.iovas().stream().anyMatch(r -> r.contains(new AddressRange(start, last)));
  }

  /// Adds the refusal of a mapping that would not fit, where nothing else is refused before.
  void fits(long start, long bytes, long pa, Set<String> out) {
    if (out.isEmpty() && !fits(start, bytes, pa)) {
      out.add("WindowsDoNotFit");
    }
  }

  /// {@return whether a doorbell can be had at the address that a function is programmed with}
  boolean keeps(Facts.Door door, long address) {
    long at = page(address);
    if (address - at != door.at() - page(door.at()) || !isSlot(at) || at % spacing(at) != 0) {
      return false;
    }
    Slot there = slots.get(at);
    return there == null || there.page == page(door.at());
  }

  /// {@return where a doorbell may be: a place that its page has, else the lowest free granule}
  Set<Long> places(Facts.Door door) {
    return places(door, Map.of());
  }

  /// @param besides pages that have places already, though these are not counted yet
  private Set<Long> places(Facts.Door door, Map<Long, Long> besides) {
    Set<Long> out = new HashSet<>();
    long page = page(door.at());
    slots.forEach((at, slot) -> {
      if (slot.page == page) {
        out.add(at);
      }
    });
    besides.forEach((at, there) -> {
      if (there == page) {
        out.add(at);
      }
    });
    if (out.isEmpty() && window.length != 0) {
      long at = page(window[0] + bytes() - 1);
      while (isSlot(at)
          && (slots.containsKey(at) || besides.containsKey(at) || at % spacing(at) != 0)) {
        at += bytes();
      }
      if (isSlot(at)) {
        out.add(at);
      }
    }
    return out;
  }

  /// Adds the refusals that doorbells meet which a function brings along.
  ///
  /// @param now by the addresses that it is programmed with
  /// {@return whether all stay where they are}
  boolean takesIn(Facts.Function f, Map<Long, Facts.Door> now, Set<String> out) {
    Map<Long, Facts.Door> kept = new HashMap<>();
    List<Facts.Door> moved = new ArrayList<>();
    now.forEach((address, door) -> {
      if (keeps(door, address)) {
        kept.put(page(address), door);
      } else {
        moved.add(door);
      }
    });
    if (!contains(f)) {
      out.add("DoorbellExposesNeighbours");
    } else {
      kept.forEach((at, door) -> {
        if (!slots.containsKey(at)) {
          fits(at, bytes(), page(door.at()), out);
        }
      });
      doorbells(f, kept, moved, out);
    }
    return moved.isEmpty();
  }

  /// Adds the refusals that some of a function's doorbells meet.
  ///
  /// @param kept those that have a place, by where it is
  /// @param wanted those that need one
  void doorbells(
      Facts.Function f,
      Map<Long, Facts.Door> kept,
      Collection<Facts.Door> wanted,
      Set<String> out) {
    Map<Long, Long> besides = new HashMap<>();
    kept.forEach((at, door) -> besides.put(at, page(door.at())));
    for (Facts.Door door : wanted) {
      Set<Long> at = places(door, besides);
      if (at.isEmpty()) {
        out.add("MsiWindowExhausted");
        return;
      }
      if (!f.address64() && at.stream().allMatch(x -> x >>> 32 != 0)) {
        out.add("MessageOutOfReach");
        return;
      }
      at.stream()
          .filter(x -> !slots.containsKey(x))
          .forEach(x -> fits(x, bytes(), page(door.at()), out));
      besides.put(at.iterator().next(), page(door.at()));
    }
  }

  /// Adds the refusals that a mapping meets.
  void map(Step.Map m, Set<String> out) {
    long low = bytes() - 1;
    if (m.bytes() == 0 || ((m.iova() | m.pa() | m.bytes()) & low) != 0) {
      out.add("Misaligned");
    }
    long last = m.iova() + m.bytes() - 1;
    if (!isInside(m.iova(), last)) {
      out.add("OutsideAperture");
    }
    if (maps.values().stream().anyMatch(x -> x.start() <= last && m.iova() <= x.last())) {
      out.add("MappingOverlap");
    }
    if (window.length != 0 && window[0] <= last && m.iova() <= window[1]) {
      out.add("MsiWindowConflict");
    }
    fits(m.iova(), m.bytes(), m.pa(), out);
  }

  /// Adds the refusals that a window meets.
  void reserve(Step.Reserve r, Set<String> out) {
    long last = r.start() + r.bytes() - 1;
    if (window.length != 0) {
      out.add("MsiWindowAlreadySet");
    }
    if (!isInside(r.start(), last)) {
      out.add("OutsideAperture");
    }
    if (maps.values().stream().anyMatch(x -> x.start() <= last && r.start() <= x.last())) {
      out.add("MsiWindowConflict");
    }
  }
}
