package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The writes of one change to tables that hardware may be walking, remembered so that they can be taken back.
final class LiveWrites {
  /// One descriptor, before it is written.
  private record Write(long table, long input, int level, long before, long after) {
    boolean isAt(Write other) {
      return table == other.table && input == other.input;
    }
  }

  private final TableSpace space;
  private final VmsaGeometry geometry;
  private final PhysicalMemory memory;
  private final TlbInvalidation invalidation;
  private final List<Write> done = new ArrayList<>();

  // While they are taken back.
  private final List<Write> stale = new ArrayList<>();
  private final List<Write> stuck = new ArrayList<>();
  private final List<Long> kept = new ArrayList<>();
  private final List<RuntimeException> failures = new ArrayList<>();

  /// Whether tables lie below a descriptor that could not be found, since memory cannot be read.
  private boolean blind;

  LiveWrites(TableSpace space, TlbInvalidation invalidation) {
    this.space = space;
    this.geometry = space.geometry();
    this.memory = space.memory();
    this.invalidation = invalidation;
  }

  /// Writes the descriptor for an input address.
  void change(long table, long input, int level, long word) {
    long slot = space.slot(table, input, level);
    // Remembered first: a write that fails may have been carried out.
    done.add(new Write(table, input, level, memory.read64(slot), word));
    memory.write64(slot, word);
  }

  /// Takes every write back, last first, and gives back the tables that the change took: after the invalidation, where a descriptor may have
  /// led to them. A table whose descriptor could not be written, and those below it, are never given back; nor is any that the change took,
  /// where those below cannot be read. A block that was split stays
  /// split where the invalidation fails: the pieces translate as it did.
  ///
  /// {@return what to throw: the failure, or where translations may differ from what they were {@link TableNotRestored}}
  ///
  /// @param taken tables that were allocated for the change, linked or not
  RuntimeException takeBack(RuntimeException failed, Collection<Long> taken) {
    for (Write w : done.reversed()) {
      Write later = stale.isEmpty() ? w : stale.getLast();
      if (later != w && later.isAt(w) && (stuck.contains(later) || !forget())) {
        stay(later);
      } else {
        write(w, w.before());
        if (w.after() != 0) {
          stale.add(w);
        }
      }
    }
    boolean cached = !forget();
    Set<Long> lost = new TreeSet<>();
    stuck.forEach(w -> collectLost(w, lost));
    space.quarantined().addAll(lost);
    List<Long> free = new ArrayList<>(taken);
    free.removeAll(kept);
    if (blind) {
      space.quarantined().addAll(free);
      lost.addAll(free);
    } else if (cached) {
      space.retired().addAll(free);
      lost.addAll(free);
    } else {
      space.giveBack(free);
    }
    if (stuck.isEmpty() && !cached && !blind) {
      failures.forEach(failed::addSuppressed);
      return failed;
    }
    AddressRange range = done.stream().map(this::covered).reduce(LiveWrites::hull).orElseThrow();
    return new TableNotRestored(range, lost.stream().map(Pa::new).toList(), failed, failures);
  }

  private void write(Write w, long word) {
    try {
      memory.write64(space.slot(w.table(), w.input(), w.level()), word);
    } catch (RuntimeException again) {
      stuck.add(w);
      failures.add(again);
    }
  }

  /// Leaves a table where it is, since caches may hold what it says and may not meet anything else there (break-before-make).
  private void stay(Write link) {
    write(link, link.after());
    collectBelow(link.after(), link.level(), kept);
    stale.clear();
  }

  /// Lets hardware see what was written back, and invalidates what was valid for a moment.
  ///
  /// {@return whether caches hold nothing of it any more}
  private boolean forget() {
    Optional<AddressRange> range = stale.stream().map(this::covered).reduce(LiveWrites::hull);
    memory.publish();
    try {
      if (range.isPresent()) {
        invalidation.invalidate(range.get(), false);
        stale.clear();
      }
      return true;
    } catch (RuntimeException again) {
      failures.add(again);
      return false;
    }
  }

  private void collectLost(Write w, Set<Long> into) {
    into.add(w.table());
    collectBelow(w.before(), w.level(), into);
    collectBelow(w.after(), w.level(), into);
  }

  private void collectBelow(long word, int level, Collection<Long> into) {
    if (space.format().isTable(word, level)) {
      long below = space.format().address(geometry, word);
      into.add(below);
      try {
        space.collect(below, level + 1, into);
      } catch (RuntimeException again) {
        failures.add(again);
        blind = true;
      }
    }
  }

  private AddressRange covered(Write w) {
    return AddressRange.ofSize(geometry.alignDown(w.input(), w.level()), geometry.bytes(w.level()));
  }

  private static AddressRange hull(AddressRange a, AddressRange b) {
    return new AddressRange(Math.min(a.start(), b.start()), Math.max(a.last(), b.last()));
  }
}
