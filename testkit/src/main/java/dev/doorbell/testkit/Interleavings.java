package dev.doorbell.testkit;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// What threads see of a thing that they share is what one thread would, in some order of the same operations.
///
/// A few operations for each of two threads are drawn; all orders in which they can follow one another are tried on fresh things, one after
/// another, which gives the outcomes that may be: the answer of each operation, and what the thing says at the end. Then they run at once, many
/// times, and each outcome must be one of those. The thing is its own specification: what is wrong in one thread already is not found.
public final class Interleavings {
  private static final int OPERATIONS = 3;
  private static final int RUNS = 20;
  private static final int MOST_SPINS = 200;
  private static final ExecutorService OTHER =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());

  private Interleavings() {}

  /// One operation: its name, and what it does and answers. What it throws is an answer, too: the class.
  public record Operation<S>(String name, Function<S, Object> body) {
    private Object answer(S thing) {
      try {
        return String.valueOf(body.apply(thing));
      } catch (RuntimeException e) {
        return e.getClass().getSimpleName();
      }
    }
  }

  /// Tries so many draws of operations, each many times; `doorbell.effort` makes them more, as of every {@link Property}.
  ///
  /// @param fresh makes a thing in its first state; made anew for each run
  /// @param operations what can be drawn
  /// @param last what the thing says at the end, when nobody uses it
  /// @throws AssertionError when an outcome shows that no order explains
  public static <S> void check(
      String name,
      int draws,
      Supplier<S> fresh,
      List<Operation<S>> operations,
      Function<S, Object> last) {
    Property.check(
        name,
        draws,
        random -> {
          List<List<Operation<S>>> threads =
              List.of(draw(random, operations), draw(random, operations));
          Set<List<Object>> permitted = new HashSet<>();
          orders(
              new ArrayList<>(),
              0,
              0,
              order -> permitted.add(alone(fresh.get(), threads, order, last)));
          for (int run = 0; run < RUNS; run++) {
            List<Object> seen = together(fresh.get(), threads, last);
            if (!permitted.contains(seen)) {
              throw new AssertionError(
                  "%s at once: %s, which no order gives; permitted: %s"
                      .formatted(names(threads), seen, permitted));
            }
          }
        });
  }

  private static <S> List<Operation<S>> draw(SeededRandom random, List<Operation<S>> from) {
    List<Operation<S>> out = new ArrayList<>();
    for (int i = 0; i < OPERATIONS; i++) {
      out.add(random.pick(from));
    }
    return out;
  }

  private static <S> List<List<String>> names(List<List<Operation<S>>> threads) {
    return threads.stream().map(t -> t.stream().map(Operation::name).toList()).toList();
  }

  /// Tells each order of two threads' operations, as a list of whose turn it is.
  private static void orders(
      List<Integer> turns, int first, int second, Consumer<List<Integer>> to) {
    if (first == OPERATIONS && second == OPERATIONS) {
      to.accept(turns);
      return;
    }
    for (int thread = 0; thread < 2; thread++) {
      if ((thread == 0 ? first : second) < OPERATIONS) {
        turns.add(thread);
        orders(turns, first + 1 - thread, second + thread, to);
        turns.removeLast();
      }
    }
  }

  private static <S> List<Object> alone(
      S thing, List<List<Operation<S>>> threads, List<Integer> order, Function<S, Object> last) {
    List<Object> out = new ArrayList<>();
    for (int i = 0; i < 2 * OPERATIONS; i++) {
      out.add("");
    }
    int[] next = new int[2];
    for (int thread : order) {
      int i = next[thread]++;
      out.set(thread * OPERATIONS + i, threads.get(thread).get(i).answer(thing));
    }
    out.add(String.valueOf(last.apply(thing)));
    return out;
  }

  private static <S> List<Object> together(
      S thing, List<List<Operation<S>>> threads, Function<S, Object> last) {
    Object[] answers = new Object[2 * OPERATIONS];
    AtomicInteger ready = new AtomicInteger();
    Future<?> other = OTHER.submit(() -> run(thing, threads.get(1), ready, answers, 1));
    run(thing, threads.get(0), ready, answers, 0);
    try {
      other.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while two threads ran", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("the other thread ended with " + e.getCause(), e);
    }
    List<Object> out = new ArrayList<>(List.of(answers));
    out.add(String.valueOf(last.apply(thing)));
    return out;
  }

  private static <S> void run(
      S thing, List<Operation<S>> operations, AtomicInteger ready, Object[] answers, int thread) {
    ready.incrementAndGet();
    for (int spins = 0; ready.get() < 2; spins++) {
      if (spins < MOST_SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
    for (int i = 0; i < OPERATIONS; i++) {
      answers[thread * OPERATIONS + i] = operations.get(i).answer(thing);
    }
  }
}
