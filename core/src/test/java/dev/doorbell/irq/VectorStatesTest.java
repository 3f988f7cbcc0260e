package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("VectorStates: what a driver remembers of a block")
class VectorStatesTest {
  /// A controller that is a name only.
  private static final MsiController NAMED =
      new MsiController() {
        @Override
        public String id() {
          return "its0";
        }

        @Override
        public boolean isolated() {
          return true;
        }

        @Override
        public int vectorsFree() {
          return 0;
        }

        @Override
        public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
          throw new AssertionError("nobody allocates here");
        }

        @Override
        public int collect(InterruptSink sink) {
          return 0;
        }
      };

  private final ReentrantLock lock = new ReentrantLock();
  private final VectorStates states = new VectorStates("0000:01:00.0", NAMED, lock, 2);
  private final List<String> done = new ArrayList<>();

  private void act() {
    done.add(lock.isHeldByCurrentThread() ? "locked" : "not locked");
  }

  @Test
  @DisplayName("a change runs under the lock, for vectors that are there")
  void change() {
    states.change(0, this::act);
    states.change(1, this::act);
    assertEquals(List.of("locked", "locked"), done);
    assertFalse(lock.isLocked());
    assertEquals(
        "0000:01:00.0 has 2 vectors and no vector 2",
        assertThrows(IndexOutOfBoundsException.class, () -> states.change(2, this::act))
            .getMessage());
    assertThrows(IndexOutOfBoundsException.class, () -> states.change(-1, this::act));
    assertEquals(2, done.size());
  }

  @Test
  @DisplayName(
      "freed once; a free that fails may be tried again, and nothing is changed afterwards")
  void free() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            states.free(() -> {
              throw new IllegalArgumentException("no");
            }));
    assertFalse(lock.isLocked());
    states.change(0, this::act);
    states.free(this::act);
    states.free(this::act);
    assertEquals(List.of("locked", "locked"), done);
    assertFalse(lock.isLocked());
    assertEquals(
        "vectors of 0000:01:00.0 at its0 have been freed",
        assertThrows(IllegalStateException.class, () -> states.change(0, this::act)).getMessage());
    assertFalse(lock.isLocked());
  }

  @Test
  @DisplayName("active, masked and the CPU are kept for each vector alone; an inactive one stays")
  void kept() {
    states.setActive(1, true);
    states.setMasked(0, true);
    states.setCpu(1, 5);
    assertTrue(states.isActive(1));
    assertFalse(states.isActive(0));
    assertTrue(states.isMasked(0));
    assertFalse(states.isMasked(1));
    assertEquals(5, states.cpu(1));
    assertEquals(0, states.cpu(0));
    states.checkActive(1);
    assertEquals(
        "vector 0 of 0000:01:00.0 at its0 is not active and cannot be moved",
        assertThrows(IllegalStateException.class, () -> states.checkActive(0)).getMessage());
  }
}
