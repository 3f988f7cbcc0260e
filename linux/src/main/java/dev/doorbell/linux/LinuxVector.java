package dev.doorbell.linux;

import dev.doorbell.vfio.Trigger;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// One vector's eventfd and who is signalled through it. Guarded by the device's lock.
final class LinuxVector implements AutoCloseable {
  private final LinuxVfio vfio;
  private final String name;
  private final Trigger trigger;
  private final EventFd event;
  private final EventLoop.@Nullable Watch watch;

  /// What the kernel signals instead while the vector is held back and the eventfd is the user's own.
  private @Nullable EventFd holding;

  private LinuxVector(
      LinuxVfio vfio,
      String name,
      Trigger trigger,
      EventFd event,
      EventLoop.@Nullable Watch watch) {
    this.vfio = vfio;
    this.name = name;
    this.trigger = trigger;
    this.event = event;
    this.watch = watch;
  }

  static LinuxVector of(LinuxVfio vfio, String name, Trigger trigger) {
    if (trigger instanceof EventFd own) {
      return new LinuxVector(vfio, name, own, own, null);
    }
    EventFd event = EventFd.create(vfio.options().calls(), name);
    try {
      EventLoop.Watch watch =
          vfio.loop()
              .watch(
                  event,
                  times -> {
                    for (long i = 0; i < times; i++) {
                      trigger.signalled();
                    }
                  });
      return new LinuxVector(vfio, name, trigger, event, watch);
    } catch (RuntimeException | Error e) {
      event.close();
      throw e;
    }
  }

  Trigger trigger() {
    return trigger;
  }

  int fd() {
    return event.descriptor().number();
  }

  /// Holds signals back, or lets them through again: what came meanwhile is one signal, as a pending bit would be.
  ///
  /// @param lead tells the kernel which descriptor to signal
  void hold(boolean back, IntConsumer lead) {
    EventLoop.Watch w = watch;
    if (w != null) {
      long waiting = back ? 0 : w.take();
      w.hold(back);
      if (waiting > 0) {
        event.signal();
      }
      return;
    }
    EventFd h = holding;
    if (back && h == null) {
      EventFd fresh = EventFd.create(vfio.options().calls(), name + ", held");
      try {
        lead.accept(fresh.descriptor().number());
      } catch (RuntimeException | Error e) {
        fresh.close();
        throw e;
      }
      holding = fresh;
    } else if (!back && h != null) {
      lead.accept(fd());
      if (h.take() > 0) {
        event.signal();
      }
      h.close();
      holding = null;
    }
  }

  /// Ends this one and hands what it still has to its successor. Of an eventfd that is the user's own, only what was held back.
  void moveTo(LinuxVector next) {
    EventFd h = holding;
    long waiting = (h == null ? 0 : h.take()) + (watch == null ? 0 : watch.take());
    close();
    if (waiting > 0) {
      next.event.signal();
    }
  }

  @Override
  public void close() {
    EventLoop.Watch w = watch;
    if (w != null) {
      w.close();
      event.close();
    }
    EventFd h = holding;
    if (h != null) {
      h.close();
      holding = null;
    }
  }
}
