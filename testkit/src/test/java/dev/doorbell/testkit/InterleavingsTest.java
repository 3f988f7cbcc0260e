package dev.doorbell.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("orders of operations: what two threads see is what one would in some order")
class InterleavingsTest {
  private static final int DRAWS = 5;
  private static final int PATIENCE = 200;

  @Test
  @DisplayName("an atomic counter passes")
  void atomic() {
    Interleavings.check(
        "atomic counter",
        DRAWS,
        AtomicInteger::new,
        List.of(
            new Interleavings.Operation<>("increment", AtomicInteger::incrementAndGet),
            new Interleavings.Operation<>("read", AtomicInteger::get)),
        AtomicInteger::get);
  }

  @Test
  @DisplayName("a counter that loses increments is found, and the outcome told")
  void lost() {
    AssertionError e =
        assertThrows(
            AssertionError.class,
            () ->
                Interleavings.check(
                    "careless counter",
                    DRAWS,
                    Careless::new,
                    List.of(new Interleavings.Operation<>("increment", Careless::increment)),
                    c -> c.value));
    assertTrue(String.valueOf(e.getMessage()).contains("which no order gives"), e.getMessage());
  }

  @Test
  @DisplayName("what an operation throws is an answer")
  void thrown() {
    Interleavings.check(
        "refusals",
        1,
        AtomicInteger::new,
        List.of(
            new Interleavings.Operation<>(
                "refuse",
                c -> {
                  throw new IllegalStateException("no " + c.get());
                })),
        AtomicInteger::get);
  }

  /// A thread that did not make it waits between reading and writing until another has written.
  private static final class Careless {
    private final Thread maker = Thread.currentThread();
    private volatile int value;

    private Object increment() {
      int before = value;
      boolean waits = Thread.currentThread() != maker;
      for (int i = 0; waits && value == before && i < PATIENCE; i++) {
        Thread.yield();
      }
      value = before + 1;
      return before + 1;
    }
  }
}
