package dev.doorbell.iommu;

import dev.doorbell.bus.Rollback;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

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

    /// {@return an entry that leads to tables alone, which have been counted in}
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

  /// Streams that are led by an entry of their driver's making.
  private final Set<Integer> composed = new HashSet<>();

  /// Streams of which it is not known what the hardware does.
  private final Set<Integer> unknown = new HashSet<>();

  public StreamAttachments(I iommu, Hardware<E, S> hardware) {
    this.iommu = iommu;
    this.hardware = hardware;
  }

  /// Leads a stream to tables; where it is led there already, and by nothing else, nothing is done.
  ///
  /// @throws IllegalArgumentException when the tables are closed
  public void attach(int stream, S space) {
    change(() -> {
      boolean led = held.getOrDefault(stream, Set.of()).equals(Set.of(space));
      if (led && !composed.contains(stream) && !unknown.contains(stream)) {
        return;
      }
      lead(stream, Set.of(space), () -> hardware.leadingTo(space));
      composed.remove(stream);
      current.put(stream, space);
    });
  }

  /// Leads a stream, by an entry that its driver makes, to more than the tables that it is attached to: those of its substreams, say. What
  /// it is attached to stays what it is; {@link #attach} and {@link #detach} lead it there alone again.
  ///
  /// @param spaces all tables that the stream's accesses may meet then
  /// @param entry asked for after the tables have been counted in; where it throws, nothing is changed
  /// @throws IllegalArgumentException when one of the tables is closed
  public void compose(int stream, Set<S> spaces, Supplier<E> entry) {
    change(() -> {
      lead(stream, spaces, entry);
      composed.add(stream);
    });
  }

  /// Leads a stream to no tables.
  ///
  /// @param entry one that blocks it, or lets it pass
  public void detach(int stream, E entry) {
    change(() -> {
      lead(stream, Set.of(), () -> entry);
      composed.remove(stream);
      current.remove(stream);
    });
  }

  private void lead(int stream, Set<S> spaces, Supplier<E> entry) {
    Set<S> had = Set.copyOf(held.getOrDefault(stream, Set.of()));
    E before = hardware.entry(stream);
    Set<S> entered = without(spaces, had);
    E next = enter(stream, entered, entry);
    try {
      hardware.write(stream, next, Runnable::run);
      forgetAll(stream, without(had, spaces));
    } catch (RuntimeException failed) {
      takeBack(stream, before, entered, failed);
      throw failed;
    }
    unknown.remove(stream);
    release(stream, without(had, spaces));
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

  /// Does work of several changes as one, while no stream is led elsewhere.
  public void change(Runnable work) {
    lock.lock();
    try {
      work.run();
    } finally {
      lock.unlock();
    }
  }

  private static <S> Set<S> without(Set<S> spaces, Set<S> others) {
    Set<S> out = new HashSet<>(spaces);
    out.removeAll(others);
    return out;
  }

  /// Counts a stream in, everywhere or nowhere.
  private E enter(int stream, Set<S> spaces, Supplier<E> entry) {
    try (Rollback rollback = new Rollback()) {
      for (S space : spaces) {
        space.enter(iommu);
        rollback.add(() -> space.leave(iommu));
      }
      E next = entry.get();
      rollback.commit();
      if (!spaces.isEmpty()) {
        held.computeIfAbsent(stream, _ -> new HashSet<>()).addAll(spaces);
      }
      return next;
    }
  }

  /// Later changes of tables that nobody is led to will not be told to this IOMMU: what it knows of them goes with the last stream.
  private void forgetAll(int stream, Set<S> spaces) {
    for (S space : spaces) {
      forgetLast(stream, space);
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

  private void release(int stream, Set<S> spaces) {
    for (S space : spaces) {
      release(stream, space);
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
  private void takeBack(int stream, E before, Set<S> entered, RuntimeException because) {
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
      if (followed[0]) {
        forgetAll(stream, entered);
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
