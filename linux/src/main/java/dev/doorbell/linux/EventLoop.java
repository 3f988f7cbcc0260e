package dev.doorbell.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Waits for many eventfds with one thread, through epoll, and calls who waits for each. Safe for use from many threads.
///
/// Calls are made one after another, under one lock, either by the thread that {@link #start} makes or by whoever calls {@link #deliver}.
///
/// **Source**: `epoll(7)`, level triggered
public final class EventLoop implements AutoCloseable {
  private static final int AT_ONCE = 64;
  private static final long WAKE = 0;

  /// Called with the number of signals since the last call.
  @FunctionalInterface
  public interface Listener {
    void signalled(long times);
  }

  /// An eventfd that is waited for.
  public final class Watch implements AutoCloseable {
    private final long key;
    private final EventFd event;
    private final Listener listener;
    private boolean held;

    private Watch(long key, EventFd event, Listener listener) {
      this.key = key;
      this.event = event;
      this.listener = listener;
    }

    /// Holds signals back in the eventfd, or lets them through again.
    ///
    /// @throws ErrnoException when the kernel refuses
    public void hold(boolean back) {
      dispatching.lock();
      try {
        if (held != back && watches.get(key) == this) {
          control(KernelConstants.EPOLL_CTL_MOD, this, back ? 0 : KernelConstants.EPOLLIN);
          held = back;
        }
      } finally {
        dispatching.unlock();
      }
    }

    /// {@return signals that are held back, now taken}
    public long take() {
      return event.take();
    }

    /// Waits no more. On return the listener is not being called, unless this is the listener.
    @Override
    public void close() {
      dispatching.lock();
      try {
        if (watches.remove(key) != null) {
          control(KernelConstants.EPOLL_CTL_DEL, this, 0);
        }
      } finally {
        dispatching.unlock();
      }
    }
  }

  private final SystemCalls calls;
  private final Descriptor epoll;
  private final EventFd wake;
  private final Map<Long, Watch> watches = new ConcurrentHashMap<>();
  private final AtomicLong keys = new AtomicLong(WAKE);
  private final ReentrantLock dispatching = new ReentrantLock();
  private @Nullable Thread thread;
  private volatile boolean stopped;

  private EventLoop(SystemCalls calls, Descriptor epoll, EventFd wake) {
    this.calls = calls;
    this.epoll = epoll;
    this.wake = wake;
  }

  /// {@return a loop without a thread}
  ///
  /// @throws ErrnoException when the process has too many open files
  public static EventLoop create(SystemCalls calls) {
    Kernel kernel = new Kernel(calls);
    Descriptor epoll =
        kernel.own(calls.epollCreate(KernelConstants.EPOLL_CLOEXEC), "epoll_create1", "epoll");
    EventFd wake = null;
    try {
      wake = EventFd.create(calls, "wake");
      EventLoop loop = new EventLoop(calls, epoll, wake);
      loop.control(
          KernelConstants.EPOLL_CTL_ADD,
          loop.new Watch(WAKE, wake, n -> {}),
          KernelConstants.EPOLLIN);
      return loop;
    } catch (RuntimeException | Error e) {
      if (wake != null) {
        wake.close();
      }
      epoll.close();
      throw e;
    }
  }

  /// Starts the thread that waits and calls. A daemon: it does not keep the process alive.
  public void start(String name) {
    dispatching.lock();
    try {
      if (thread != null || stopped) {
        throw new IllegalStateException("the loop runs or was closed");
      }
      thread = Thread.ofPlatform().daemon().name(name).start(this::run);
    } finally {
      dispatching.unlock();
    }
  }

  /// Waits for an eventfd, which stays its owner's and is not closed before the watch.
  ///
  /// @throws ErrnoException when the kernel refuses
  public Watch watch(EventFd event, Listener listener) {
    Watch w = new Watch(keys.incrementAndGet(), event, listener);
    watches.put(w.key, w);
    try {
      control(KernelConstants.EPOLL_CTL_ADD, w, KernelConstants.EPOLLIN);
    } catch (ErrnoException e) {
      watches.remove(w.key);
      throw e;
    }
    return w;
  }

  private void control(int operation, Watch w, int events) {
    int at = epoll.acquire();
    try (Arena arena = Arena.ofConfined()) {
      int fd = w.event.descriptor().acquire();
      try {
        MemorySegment e = SystemLayout.EPOLL_EVENT.allocate(arena);
        SystemLayout.EPOLL_EVENTS.set(e, events);
        SystemLayout.EPOLL_DATA.set(e, w.key);
        Kernel.check(
            calls.epollControl(at, operation, fd, e), "epoll_ctl", w.event.descriptor().name());
      } finally {
        w.event.descriptor().release();
      }
    } finally {
      epoll.release();
    }
  }

  /// Calls the listeners of everything that has been signalled, now, in this thread. On return every signal that was there at the call has
  /// been handed on, by this thread or by the loop's own.
  ///
  /// {@return listeners called by this thread}
  public int deliver() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = arena.allocate(SystemLayout.EPOLL_EVENT.bytes() * (long) AT_ONCE, 8);
      int called = 0;
      dispatching.lock();
      try {
        int ready;
        do {
          ready = await(events, 0);
          called += dispatch(events, ready);
        } while (ready == AT_ONCE);
        return called;
      } finally {
        dispatching.unlock();
      }
    }
  }

  private void run() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = arena.allocate(SystemLayout.EPOLL_EVENT.bytes() * (long) AT_ONCE, 8);
      while (!stopped) {
        int ready = await(events, -1);
        dispatching.lock();
        try {
          dispatch(events, ready);
        } finally {
          dispatching.unlock();
        }
      }
    }
  }

  private int await(MemorySegment events, int timeoutMillis) {
    int at = epoll.acquire();
    try {
      int ready;
      do {
        ready = calls.epollWait(at, events, timeoutMillis);
      } while (Kernel.isInterrupted(ready));
      return (int) Kernel.check(ready, "epoll_wait", epoll.name());
    } finally {
      epoll.release();
    }
  }

  private int dispatch(MemorySegment events, int ready) {
    int called = 0;
    for (int i = 0; i < ready; i++) {
      long base = (long) i * SystemLayout.EPOLL_EVENT.bytes();
      Watch w = watches.get(SystemLayout.EPOLL_DATA.get(events, base));
      // Whoever stopped waiting, or holds signals back, since the kernel told is passed over.
      if (w != null && !w.held) {
        long times = w.event.take();
        if (times > 0) {
          w.listener.signalled(times);
          called++;
        }
      }
    }
    return called;
  }

  /// Ends the thread and lets go of what was waited for. Not for a listener to call.
  @Override
  public void close() {
    if (stopped) {
      return;
    }
    stopped = true;
    try {
      Thread t = thread;
      if (t != null && t != Thread.currentThread()) {
        wake.signal();
        join(t);
      }
    } finally {
      watches.clear();
      wake.close();
      epoll.close();
    }
  }

  private static void join(Thread t) {
    boolean interrupted = false;
    while (t.isAlive()) {
      try {
        t.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
