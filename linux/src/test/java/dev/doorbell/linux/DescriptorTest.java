package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("open files: closed once, and never under a call")
class DescriptorTest {
  private static final int FD = 4711;
  private static final Ioctl REQUEST = Ioctl.io("REQUEST", 'x', 1);

  private final AtomicInteger closed = new AtomicInteger();
  private final CountDownLatch closedNow = new CountDownLatch(1);

  /// Calls whose `ioctl` runs something, and whose `close` is counted.
  private Descriptor open(Runnable inside) {
    SystemCalls calls =
        (SystemCalls)
            Proxy.newProxyInstance(
                SystemCalls.class.getClassLoader(),
                new Class<?>[] {SystemCalls.class},
                (proxy, method, a) -> {
                  assertEquals(FD, a[0]);
                  if (method.getName().equals("close")) {
                    closed.incrementAndGet();
                    closedNow.countDown();
                  } else {
                    inside.run();
                  }
                  return 0;
                });
    return new Descriptor(new Kernel(calls), FD, "file");
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(30, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  @DisplayName(
      "a close under a call returns, refuses what comes later, and happens once that call is over")
  void underACall() throws InterruptedException {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Descriptor d =
        open(() -> {
          inside.countDown();
          await(goOn);
        });
    Thread caller = Thread.ofPlatform().start(() -> d.tryIoctl(REQUEST, MemorySegment.NULL));
    await(inside);
    d.close();
    d.close();
    assertFalse(d.isOpen());
    assertThrows(
        IllegalStateException.class, () -> d.tryIoctl(REQUEST, MemorySegment.NULL), "too late");
    assertEquals(0, closed.get());
    goOn.countDown();
    await(closedNow);
    caller.join();
    d.close();
    assertEquals(1, closed.get());
  }

  @Test
  @DisplayName(
      "a call inside of a call, as a kernel in memory makes them, keeps its file open as well")
  void nested() throws InterruptedException {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Descriptor inner =
        open(() -> {
          inside.countDown();
          await(goOn);
        });
    Descriptor outer = open(() -> inner.tryIoctl(REQUEST, MemorySegment.NULL));
    Thread caller = Thread.ofPlatform().start(() -> outer.tryIoctl(REQUEST, MemorySegment.NULL));
    await(inside);
    inner.close();
    outer.close();
    assertEquals(0, closed.get());
    goOn.countDown();
    caller.join();
    await(closedNow);
    for (int i = 0; closed.get() < 2 && i < 3000; i++) {
      Thread.sleep(10);
    }
    assertEquals(2, closed.get());
  }

  @Test
  @DisplayName(
      "many threads signal eventfds that are closed meanwhile: none ever reaches the file that gets the number next")
  void numbersAreNotMixedUp() throws InterruptedException {
    AtomicReference<EventFd> current = new AtomicReference<>(EventFd.create("first"));
    AtomicInteger refused = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                for (EventFd e = current.get(); e != null; e = current.get()) {
                  try {
                    e.signal();
                  } catch (IllegalStateException x) {
                    refused.incrementAndGet();
                  }
                }
              }));
    }
    int reused = 0;
    EventFd victim = EventFd.create("victim");
    try {
      for (int round = 0; round < 1000; round++) {
        EventFd old = current.get();
        int number = old.descriptor().number();
        old.close();
        // The lowest number that is free: that of the closed one, as what was made before is still
        // open.
        EventFd next = EventFd.create("victim");
        reused += next.descriptor().number() == number ? 1 : 0;
        victim.close();
        victim = next;
        Thread.yield();
        assertEquals(0, victim.take(), "a signal reached a file that nobody handed out");
        current.set(EventFd.create("round " + round));
      }
    } finally {
      EventFd last = current.getAndSet(null);
      for (Thread t : threads) {
        t.join();
      }
      last.close();
      victim.close();
    }
    assertTrue(reused > 100, () -> "the kernel gave numbers out again, refused " + refused);
    assertTrue(refused.get() > 0);
  }
}
