package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.simple.HardwareWrites;
import dev.doorbell.simple.IdleLock;
import dev.doorbell.simple.SimpleMsiController;
import dev.doorbell.testkit.Interleavings;
import dev.doorbell.testkit.Interleavings.Operation;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Vector tables: what two threads see, one thread would see in some order")
class VectorTableOrderTest {
  private static final int DRAWS = 10;
  private static final int PAUSES = 10;
  private static final long PAUSE_NANOS = 1_000_000;

  /// Vectors of a block, how often each was moved, and how often the block was freed.
  private static final class Table {
    private final VectorStates states;
    private final Runnable within;
    private final int[] moves = new int[2];
    private int freed;

    Table(ReentrantLock lock, Runnable within) {
      this.within = within;
      states = new VectorStates("0000:01:00.0", CONTROLLER, lock, moves.length);
    }

    Object move(int vector, int cpu) {
      states.change(
          vector,
          () -> {
            states.setCpu(vector, cpu);
            int before = moves[vector];
            within.run();
            moves[vector] = before + 1;
          });
      return "moved";
    }

    Object free() {
      states.free(() -> freed++);
      return "freed";
    }

    @Override
    public String toString() {
      return "%d@%d %d@%d %d".formatted(moves[0], states.cpu(0), moves[1], states.cpu(1), freed);
    }
  }

  private static final MsiController CONTROLLER =
      new SimpleMsiController("simple", 0x1040, 64, 8, true, new HardwareWrites());

  @Test
  @DisplayName(
      "vectors moved and freed at once: nothing moves once they are freed, and they are freed once")
  void states() {
    List<Operation<Table>> operations =
        List.of(
            new Operation<>("move 0 to 1", t -> t.move(0, 1)),
            new Operation<>("move 0 to 2", t -> t.move(0, 2)),
            new Operation<>("move 1 to 3", t -> t.move(1, 3)),
            new Operation<>("move 2", t -> t.move(2, 1)),
            new Operation<>("free", Table::free));
    Interleavings.check(
        "vector table",
        DRAWS,
        () -> new Table(new ReentrantLock(), Thread::onSpinWait),
        operations,
        Table::toString);
  }

  @Test
  @DisplayName("planted: a driver whose lock keeps nobody out is caught")
  void withoutLock() {
    // Two threads that are let in together meet there; one alone goes on after a while.
    AtomicInteger inside = new AtomicInteger();
    Runnable meet =
        () -> {
          inside.incrementAndGet();
          for (int i = 0; inside.get() < 2 && i < PAUSES; i++) {
            LockSupport.parkNanos(PAUSE_NANOS);
          }
          inside.decrementAndGet();
        };
    AssertionError caught =
        assertThrows(
            AssertionError.class,
            () ->
                Interleavings.check(
                    "vector table without lock",
                    1,
                    () -> new Table(new IdleLock(), meet),
                    List.of(new Operation<>("move 0 to 1", t -> t.move(0, 1))),
                    Table::toString));
    assertTrue(String.valueOf(caught.getMessage()).contains("which no order gives"));
  }
}
