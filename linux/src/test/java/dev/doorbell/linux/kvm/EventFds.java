package dev.doorbell.linux.kvm;

import dev.doorbell.linux.EventFd;
import java.util.ArrayList;
import java.util.List;

/// Many eventfds, closed together.
final class EventFds implements AutoCloseable {
  private final List<EventFd> all = new ArrayList<>();

  EventFds(int count) {
    for (int i = 0; i < count; i++) {
      all.add(EventFd.create("vector " + i));
    }
  }

  EventFd at(int index) {
    return all.get(index);
  }

  @Override
  public void close() {
    all.forEach(EventFd::close);
  }
}
