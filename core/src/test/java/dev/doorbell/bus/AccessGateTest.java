package dev.doorbell.bus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class AccessGateTest {
  private final AccessGate gate = new AccessGate();

  @Test
  void claimsOfOneThreadNestInOneSlot() {
    assertEquals(-1, gate.held());
    int slot = gate.enter();
    assertEquals(slot, gate.enter());
    assertEquals(slot, gate.held());
    assertFalse(gate.leave(), "an inner claim");
    assertEquals(slot, gate.held());
    assertTrue(gate.leave(slot), "the outermost claim");
    assertEquals(-1, gate.held());
  }

  @Test
  void whatDidNotBeginDoesNotEnd() {
    assertThrows(IllegalStateException.class, gate::leave);
    gate.enter();
    assertTrue(gate.leave());
    assertThrows(IllegalStateException.class, gate::leave);
  }

  @Test
  void asManyThreadsAsThereAreSlotsHoldOneEachAndTheNextGetsOneThatIsLeft() throws Exception {
    CountDownLatch inside = new CountDownLatch(AccessGate.SLOTS);
    CountDownLatch go = new CountDownLatch(1);
    Callable<Integer> access =
        () -> {
          int slot = gate.enter();
          inside.countDown();
          go.await();
          assertEquals(slot, gate.held(), "found again, though most do not lie where they hash to");
          assertEquals(slot, gate.enter());
          gate.leave();
          assertTrue(gate.leave());
          return slot;
        };
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<Integer>> first = new ArrayList<>();
      for (int i = 0; i < AccessGate.SLOTS; i++) {
        first.add(threads.submit(access));
      }
      inside.await();
      Future<Integer> next = threads.submit(access);
      go.countDown();
      Set<Integer> slots = new HashSet<>();
      for (Future<Integer> f : first) {
        slots.add(f.get());
      }
      assertEquals(AccessGate.SLOTS, slots.size());
      next.get();
    }
    assertEquals(-1, gate.held());
  }

  @Test
  void aDrainReturnsOnlyOnceEarlierAccessesHaveEnded() throws Exception {
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      for (int round = 0; round < 100; round++) {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch draining = new CountDownLatch(1);
        AtomicBoolean ended = new AtomicBoolean();
        Future<?> access =
            threads.submit(() -> {
              gate.enter();
              inside.countDown();
              draining.await();
              for (int i = 0; i < 1_000; i++) {
                Thread.onSpinWait();
              }
              ended.set(true);
              return gate.leave();
            });
        inside.await();
        draining.countDown();
        gate.drain();
        assertTrue(ended.get(), "the drain ended before the access that began before it");
        access.get();
      }
    }
  }

  @Test
  void aDrainWaitsNeitherForItsOwnThreadNorForOneThatIsParked() throws Exception {
    CountDownLatch parked = new CountDownLatch(1);
    CountDownLatch drained = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      Future<?> handler =
          threads.submit(() -> {
            int slot = gate.enter();
            int held = gate.arrive();
            assertEquals(slot, held);
            parked.countDown();
            drained.await();
            gate.depart(held);
            return gate.leave();
          });
      parked.await();
      gate.enter();
      gate.drain();
      gate.leave();
      drained.countDown();
      assertEquals(true, handler.get());
    }
    assertEquals(-1, gate.arrive(), "a thread without an access parks nothing");
    gate.depart(-1);
  }
}
