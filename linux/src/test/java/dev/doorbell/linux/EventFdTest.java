package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("eventfd(2), epoll(7): counters, and one thread that waits for many")
class EventFdTest {
  private static final SystemCalls CALLS = SystemCalls.ofProcess();

  @Test
  @DisplayName("a read takes all signals at once; without any it answers 0 and does not wait")
  void countsAndTakes() {
    try (EventFd e = EventFd.create("test")) {
      assertEquals(0, e.take());
      e.signal();
      e.signalled();
      assertEquals(2, e.take());
      assertEquals(0, e.await(0));
    }
  }

  @Test
  @DisplayName("a waiting thread takes what another signals")
  void waits() throws InterruptedException {
    try (EventFd e = EventFd.create("test")) {
      AtomicLong got = new AtomicLong();
      Thread t = Thread.ofPlatform().start(() -> got.set(e.await(-1)));
      e.signal();
      t.join();
      assertEquals(1, got.get());
    }
  }

  @Test
  @DisplayName(
      "a closed descriptor refuses calls, and a call under way keeps it open until it returns")
  void closesOnce() {
    Map<String, Integer> before = OpenFiles.held();
    EventFd e = EventFd.create("test");
    int number = e.descriptor().acquire();
    e.close();
    assertThrows(IllegalStateException.class, e::signal);
    assertThrows(IllegalStateException.class, () -> e.descriptor().number());
    assertFalse(before.equals(OpenFiles.held()), "held by the call under way, fd " + number);
    e.descriptor().release();
    assertEquals(before, OpenFiles.held());
    e.close();
  }

  @Test
  @DisplayName(
      "a loop calls each listener with its own signals, held ones after they are let through")
  void loopDelivers() throws IOException {
    Map<String, Integer> before = OpenFiles.held();
    List<EventFd> fds = new ArrayList<>();
    long[] got = new long[100];
    try (EventLoop loop = EventLoop.create(CALLS)) {
      List<EventLoop.Watch> watches = new ArrayList<>();
      for (int i = 0; i < got.length; i++) {
        int at = i;
        fds.add(EventFd.create("e" + i));
        watches.add(loop.watch(fds.get(i), n -> got[at] += n));
      }
      fds.forEach(EventFd::signal);
      fds.get(7).signal();
      assertEquals(100, loop.deliver());
      assertEquals(2, got[7]);
      assertEquals(1, got[99]);
      watches.get(7).hold(true);
      fds.get(7).signal();
      assertEquals(0, loop.deliver());
      watches.get(7).hold(false);
      assertEquals(1, loop.deliver());
      assertEquals(3, got[7]);
      watches.get(7).close();
      fds.get(7).signal();
      assertEquals(0, loop.deliver());
    }
    fds.forEach(EventFd::close);
    assertEquals(before, OpenFiles.held());
  }

  @Test
  @DisplayName("a loop with a thread hands on without being asked, and ends when it is closed")
  void loopRunsByItself() throws InterruptedException {
    CountDownLatch latch = new CountDownLatch(1);
    try (EventFd e = EventFd.create("test");
        EventLoop loop = EventLoop.create(CALLS)) {
      loop.watch(e, n -> latch.countDown());
      loop.start("test loop");
      e.signal();
      assertTrue(latch.await(30, TimeUnit.SECONDS));
    }
    assertEquals(
        0,
        Thread.getAllStackTraces().keySet().stream()
            .filter(t -> t.getName().equals("test loop"))
            .count());
  }

  @Test
  @DisplayName("whichever call of a loop fails, nothing stays open and the refusal names it")
  void everyFailureGivesBack() throws IOException {
    Map<String, Integer> before = OpenFiles.held();
    FailingCalls failing = new FailingCalls(CALLS);
    SystemCalls calls = failing.calls();
    int refused = 0;
    for (int i = 0; i < 4; i++) {
      failing.fail(i, Errno.EMFILE);
      try (EventLoop loop = EventLoop.create(calls);
          EventFd e = EventFd.create(calls, "test")) {
        loop.watch(e, n -> {});
      } catch (ErrnoException x) {
        assertEquals(Errno.EMFILE, x.errno());
        assertTrue(x.getMessage().contains("EMFILE, 24"), x.getMessage());
        assertTrue(x.refusal().advice().contains("ulimit -n"));
        refused++;
      }
      assertEquals(before, OpenFiles.held(), "after failure of " + failing.made());
    }
    assertEquals(4, refused);
  }
}
