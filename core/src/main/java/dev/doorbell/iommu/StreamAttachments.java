package dev.doorbell.iommu;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Where each stream of one IOMMU is led, and the order in which that changes: tables are counted in before an entry leads to them, and
/// counted out after the IOMMU has dropped what it knows of them. What fails half-way is taken back.
///
/// Where taking back fails as well, what the hardware does is not known. The stream then holds both the tables that it had and those that it was
/// to get: neither can be closed, and both are told of changes, until a later change of that stream succeeds.
///
/// **Threads.** Safe for use from many: one lock an IOMMU, taken before an address space's and those of queues.
///
/// @param <I> who is counted in and out of address spaces
/// @param <E> what an entry for a stream says
/// @param <S> tables that the IOMMU can walk
public final class StreamAttachments<I, E, S extends SharedAddressSpace<I>> {
  /// How one kind of IOMMU is told. Called with the lock held.
  public interface Hardware<E, S> {
    /// {@return what stands for a stream now}
    ///
    /// @throws RuntimeException when the stream can have no entry; nothing is changed then
    E entry(int stream);

    /// {@return an entry that leads to tables, which have been counted in}
    ///
    /// @throws RuntimeException when the IOMMU has no room for the tables; nothing is changed then
    E leadingTo(S space);

    /// Writes a stream's entry, and has the IOMMU forget the former one.
    ///
    /// @param orders runs each command or register access that can fail; it goes on after a failed one while a change is taken back
    void write(int stream, E entry, Orders orders);

    /// Has the IOMMU drop all that it knows of tables, to which no stream of its is led any more. It may be told so twice.
    void forget(S space);
  }

  /// Runs what the hardware is told.
  @FunctionalInterface
  public interface Orders {
    void run(Runnable order);
  }

  private final I iommu;
  private final Hardware<E, S> hardware;
  private final ReentrantLock lock = new ReentrantLock();

  /// Tables that a stream was led to last.
  private final Map<Integer, S> current = new HashMap<>();

  /// All tables that a stream's accesses may meet.
  private final Map<Integer, Set<S>> held = new HashMap<>();

  /// Streams of which it is not known what the hardware does.
  private final Set<Integer> unknown = new HashSet<>();

  public StreamAttachments(I iommu, Hardware<E, S> hardware) {
    this.iommu = iommu;
    this.hardware = hardware;
  }

  /// Leads a stream to tables; where it is led there already, nothing is done.
  ///
  /// @throws IllegalArgumentException when the tables are closed
  public void attach(int stream, S space) {
    change(() -> {
      Set<S> had = Set.copyOf(held.getOrDefault(stream, Set.of()));
      if (had.equals(Set.of(space)) && !unknown.contains(stream)) {
        return;
      }
      E before = hardware.entry(stream);
      boolean entered = !had.contains(space);
      E next = entered ? enter(stream, space) : hardware.leadingTo(space);
      try {
        hardware.write(stream, next, Runnable::run);
        forgetAll(stream, had, space);
      } catch (RuntimeException failed) {
        takeBack(stream, before, entered ? space : null, failed);
        throw failed;
      }
      unknown.remove(stream);
      current.put(stream, space);
      release(stream, had, space);
    });
  }

  /// Leads a stream to no tables.
  ///
  /// @param entry one that blocks it, or lets it pass
  public void detach(int stream, E entry) {
    change(() -> {
      Set<S> had = Set.copyOf(held.getOrDefault(stream, Set.of()));
      E before = hardware.entry(stream);
      try {
        hardware.write(stream, entry, Runnable::run);
        forgetAll(stream, had, null);
      } catch (RuntimeException failed) {
        takeBack(stream, before, null, failed);
        throw failed;
      }
      unknown.remove(stream);
      current.remove(stream);
      release(stream, had, null);
    });
  }

  /// {@return the tables that a stream is led to}
  public Optional<S> of(int stream) {
    return locked(() -> Optional.ofNullable(current.get(stream)));
  }

  /// Ends the IOMMU's work, with the lock held.
  ///
  /// @param id the IOMMU's
  /// @throws IllegalStateException when a stream still holds tables
  public void end(String id, Runnable work) {
    change(() -> {
      if (!held.isEmpty()) {
        throw new IllegalStateException(
            "%s still has the streams %s attached; block them first"
                .formatted(id, new TreeSet<>(held.keySet())));
      }
      work.run();
    });
  }

  /// {@return what is found while no stream is led elsewhere}
  public <T> T locked(Supplier<T> work) {
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  private void change(Runnable work) {
    lock.lock();
    try {
      work.run();
    } finally {
      lock.unlock();
    }
  }

  private E enter(int stream, S space) {
    space.enter(iommu);
    try {
      E next = hardware.leadingTo(space);
      held.computeIfAbsent(stream, _ -> new HashSet<>()).add(space);
      return next;
    } catch (RuntimeException failed) {
      space.leave(iommu);
      throw failed;
    }
  }

  /// Later changes of tables that nobody is led to will not be told to this IOMMU: what it knows of them goes with the last stream.
  private void forgetAll(int stream, Set<S> had, @Nullable S kept) {
    for (S space : had) {
      if (space != kept) {
        forgetLast(stream, space);
      }
    }
  }

  private void forgetLast(int leaving, S space) {
    boolean others =
        held.entrySet().stream()
            .anyMatch(h -> h.getKey() != leaving && h.getValue().contains(space));
    if (!others) {
      hardware.forget(space);
    }
  }

  private void release(int stream, Set<S> had, @Nullable S kept) {
    for (S space : had) {
      if (space != kept) {
        release(stream, space);
      }
    }
  }

  private void release(int stream, S space) {
    Set<S> holds = Objects.requireNonNull(held.get(stream));
    holds.remove(space);
    if (holds.isEmpty()) {
      held.remove(stream);
    }
    space.leave(iommu);
  }

  /// Puts a stream's entry back, and counts out what was counted in for nothing, if the hardware still follows.
  private void takeBack(int stream, E before, @Nullable S entered, RuntimeException because) {
    boolean[] followed = {true};
    boolean wasKnown = unknown.add(stream);
    try {
      hardware.write(
          stream,
          before,
          order -> {
            try {
              order.run();
            } catch (RuntimeException again) {
              followed[0] = false;
              because.addSuppressed(again);
            }
          });
      if (entered != null && followed[0]) {
        forgetLast(stream, entered);
        release(stream, entered);
      }
      if (followed[0] && wasKnown) {
        unknown.remove(stream);
      }
    } catch (RuntimeException again) {
      because.addSuppressed(again);
    }
  }
}
