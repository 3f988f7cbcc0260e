package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("issue 4: interrupts by callback on a virtual thread")
class CallbackTriggerTest {
  @Test
  @DisplayName(
      "a listener that blocks holds nobody up; what comes meanwhile is told together, and by its own virtual thread")
  void blocks() throws InterruptedException {
    CountDownLatch called = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    List<Long> times = new CopyOnWriteArrayList<>();
    AtomicBoolean virtual = new AtomicBoolean();
    try (CallbackTrigger t =
        CallbackTrigger.of(
            "vector 3",
            n -> {
              times.add(n);
              virtual.set(
                  Thread.currentThread().isVirtual()
                      && Thread.currentThread().getName().equals("vector 3"));
              called.countDown();
              await(goOn);
            })) {
      t.signalled();
      called.await();
      t.signalled();
      t.signalled();
      goOn.countDown();
    }
    assertEquals(List.of(1L, 2L), times);
    assertTrue(virtual.get());
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  @DisplayName("every signal of many threads is told once, those before the end at the latest then")
  void counts() throws InterruptedException {
    AtomicLong told = new AtomicLong();
    CallbackTrigger t = CallbackTrigger.of("many", told::addAndGet);
    List<Thread> threads =
        IntStream.range(0, 4)
            .mapToObj(i ->
                Thread.ofVirtual()
                    .start(() -> {
                      for (int n = 0; n < 1000; n++) {
                        t.signalled();
                      }
                    }))
            .toList();
    for (Thread thread : threads) {
      thread.join();
    }
    t.close();
    t.close();
    assertEquals(4000, told.get());
  }

  @Test
  @DisplayName(
      "a listener that throws is called again, and whoever closes is told of the first time")
  void throwing() {
    AtomicLong told = new AtomicLong();
    RuntimeException first = new RuntimeException("first");
    CountDownLatch once = new CountDownLatch(1);
    CallbackTrigger t =
        CallbackTrigger.of(
            "throwing",
            n -> {
              told.addAndGet(n);
              once.countDown();
              throw told.get() == 1 ? first : new RuntimeException("later");
            });
    t.signalled();
    await(once);
    t.signalled();
    Thread.currentThread().interrupt();
    IllegalStateException e = assertThrows(IllegalStateException.class, t::close);
    assertSame(first, e.getCause());
    assertEquals(2, told.get());
    assertTrue(Thread.interrupted(), "whoever interrupted the closing thread is not forgotten");
  }
}
