package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
    assertFalse(e.descriptor().isOpen(), "still closed after another close");
    EventFd other = EventFd.create("other");
    assertEquals(number, other.descriptor().number(), "the same number is somebody else's now");
    assertThrows(IllegalStateException.class, e::signal);
    other.signal();
    assertEquals(1, other.take());
    other.close();
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
  @DisplayName("the kernel itself does not wake the loop for what is held back")
  void heldInTheKernel() {
    FailingCalls noted = new FailingCalls(CALLS);
    try (EventLoop loop = EventLoop.create(noted.calls());
        EventFd e = EventFd.create("test");
        EventLoop.Watch w = loop.watch(e, n -> {})) {
      for (boolean back : new boolean[] {true, false}) {
        noted.fail(-1, Errno.EIO);
        w.hold(back);
        w.hold(back);
        assertEquals(List.of("epollControl"), noted.made());
      }
    }
  }

  @Test
  @DisplayName("a counter at its limit of 2^64 - 2 takes no more, and nobody waits")
  void full() {
    try (EventFd e = EventFd.create("test");
        Arena arena = Arena.ofConfined()) {
      MemorySegment most = arena.allocate(ValueLayout.JAVA_LONG);
      most.set(ValueLayout.JAVA_LONG, 0, -2);
      assertEquals(Long.BYTES, e.descriptor().tryWrite(most));
      e.signal();
      assertEquals(-2, e.take());
    }
  }

  @Test
  @DisplayName("close(2) that answers an error is told, and the descriptor is gone all the same")
  void closeFails() {
    Map<String, Integer> before = OpenFiles.held();
    EventFd e = EventFd.create(FailingCalls.closing(CALLS, Errno.EIO), "test");
    ErrnoException x = assertThrows(ErrnoException.class, e::close);
    assertEquals("close", x.operation());
    assertEquals(before, OpenFiles.held());
    e.close();
  }

  @Test
  @DisplayName(
      "a listener that holds another back, or takes its signals: that one is not called any more")
  void listenersMeddle() {
    try (EventLoop loop = EventLoop.create(CALLS);
        EventFd a = EventFd.create("a");
        EventFd b = EventFd.create("b")) {
      EventLoop.Watch[] watches = new EventLoop.Watch[2];
      List<String> called = new ArrayList<>();
      watches[0] =
          loop.watch(
              a,
              n -> {
                called.add("a " + n);
                watches[1].hold(true);
              });
      watches[1] =
          loop.watch(
              b,
              n -> {
                called.add("b " + n);
                watches[0].hold(true);
              });
      a.signal();
      b.signal();
      assertEquals(1, loop.deliver(), called::toString);
      assertEquals(1, called.size(), called::toString);
      watches[0].close();
      watches[1].close();
      a.take();
      b.take();
      called.clear();
      loop.watch(
          a,
          n -> {
            called.add("a " + n);
            b.take();
          });
      loop.watch(
          b,
          n -> {
            called.add("b " + n);
            a.take();
          });
      a.signal();
      b.signal();
      assertEquals(1, loop.deliver(), called::toString);
      assertEquals(1, called.size(), called::toString);
    }
  }

  @Test
  @DisplayName(
      "a watch that is closed asks the kernel for nothing more; a loop starts once, and not after its end")
  void onceEach() {
    FailingCalls counting = new FailingCalls(CALLS);
    try (EventFd e = EventFd.create("test")) {
      EventLoop loop = EventLoop.create(counting.calls());
      EventLoop.Watch w = loop.watch(e, n -> {});
      w.close();
      counting.fail(-1, Errno.EIO);
      w.close();
      w.hold(true);
      assertEquals(List.of(), counting.made());
      loop.start("test loop");
      assertThrows(IllegalStateException.class, () -> loop.start("again"));
      Thread.currentThread().interrupt();
      loop.close();
      assertTrue(Thread.interrupted(), "whoever interrupted the closing thread is not forgotten");
      assertThrows(IllegalStateException.class, () -> loop.start("too late"));
      loop.close();
      EventLoop idle = EventLoop.create(CALLS);
      idle.close();
      assertThrows(IllegalStateException.class, () -> idle.start("too late"));
    }
  }

  @Test
  @DisplayName(
      "one thread waits for five hundred counters, and each signal reaches its own listener")
  void many() {
    int count = 500;
    List<EventFd> all = new ArrayList<>();
    long[] told = new long[count];
    try (EventLoop loop = EventLoop.create(CALLS)) {
      for (int i = 0; i < count; i++) {
        int mine = i;
        all.add(EventFd.create("counter " + i));
        loop.watch(all.get(i), n -> told[mine] += n);
      }
      for (int i = 0; i < count; i += 3) {
        for (int n = 0; n <= i % 4; n++) {
          all.get(i).signal();
        }
      }
      int delivered = 0;
      for (int got = loop.deliver(); got > 0; got = loop.deliver()) {
        delivered += got;
      }
      assertEquals((count + 2) / 3, delivered);
      for (int i = 0; i < count; i++) {
        assertEquals(i % 3 == 0 ? i % 4 + 1 : 0, told[i], "counter " + i);
      }
    } finally {
      all.forEach(EventFd::close);
    }
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
