package dev.doorbell.hw.amdvi;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// One change to host page tables that hardware may be walking. First it is prepared: new tables are filled where nothing leads to them, and the
/// writes to live entries are noted. Then it is made, write by write, or taken back.
final class TableChange {
  /// Whoever caches what the tables say.
  @FunctionalInterface
  interface Invalidation {
    /// Returns when nobody holds a translation of these addresses any more.
    void invalidate(AddressRange input);
  }

  private record Write(long slot, long before, long after) {}

  private final PhysicalMemory memory;
  private final Frames frames;
  private final Collection<Long> retired;
  private final List<Write> writes = new ArrayList<>();
  private final List<Long> fresh = new ArrayList<>();
  private final List<Long> unlinked = new ArrayList<>();

  /// @param retired takes tables that caches may still know
  TableChange(PhysicalMemory memory, Frames frames, Collection<Long> retired) {
    this.memory = memory;
    this.frames = frames;
    this.retired = retired;
  }

  /// {@return a new, empty table}
  long take() {
    long table = frames.allocate(IoPages.TABLE, IoPages.TABLE).value();
    fresh.add(table);
    return table;
  }

  /// Notes a write to a live entry; each is noted once.
  void write(long slot, long word) {
    writes.add(new Write(slot, memory.read64(slot), word));
  }

  /// Notes a table to which nothing leads after the change.
  void unlink(long table) {
    unlinked.add(table);
  }

  boolean isEmpty() {
    return writes.isEmpty();
  }

  /// Gives the new tables back, of a change that was not made.
  void abandon() {
    fresh.forEach(this::free);
  }

  /// Makes the change.
  ///
  /// @param input the addresses that it concerns, pages that it cuts included
  /// @param stale whether caches may hold something that the change ends
  /// @throws AmdViTableNotRestored when it failed half-way and taking it back failed, too
  void make(AddressRange input, boolean stale, Invalidation invalidation) {
    int done = 0;
    try {
      memory.publish();
      for (Write w : writes) {
        // Counted first: a write that fails may have been carried out.
        done++;
        memory.write64(w.slot, w.after);
      }
      memory.publish();
      if (stale) {
        invalidation.invalidate(input);
      }
    } catch (RuntimeException failed) {
      throw takeBack(done, input, invalidation, failed);
    }
    unlinked.forEach(this::free);
  }

  private RuntimeException takeBack(
      int done, AddressRange input, Invalidation invalidation, RuntimeException failed) {
    List<RuntimeException> again = new ArrayList<>();
    for (Write w : writes.subList(0, done).reversed()) {
      attempt(() -> memory.write64(w.slot, w.before), again);
    }
    attempt(
        () -> {
          memory.publish();
          invalidation.invalidate(input);
        },
        again);
    if (again.isEmpty()) {
      abandon();
      return failed;
    }
    retired.addAll(fresh);
    return new AmdViTableNotRestored(input, fresh.stream().map(Pa::new).toList(), failed, again);
  }

  private static void attempt(Runnable step, List<RuntimeException> failures) {
    try {
      step.run();
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }

  private void free(long table) {
    frames.free(new Pa(table), IoPages.TABLE);
  }
}
