package dev.doorbell.vmm;

import dev.doorbell.linux.kvm.GuestMsi;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.GuestIrq;
import dev.doorbell.vfio.Trigger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A guest that notes where interrupts lead, and counts what arrives by message.
final class NotingGuest implements GuestMessages {
  final Map<Integer, GuestMsi> routes = new HashMap<>();
  final Map<GuestMsi, EventCounter> taken = new HashMap<>();
  final List<GuestMsi> signalled = new ArrayList<>();
  int commits;
  int ways;

  @Override
  public void route(Map<Integer, GuestMsi> changes) {
    commits++;
    routes.putAll(changes);
  }

  @Override
  public void signal(GuestMsi message) {
    signalled.add(message);
  }

  @Override
  public GuestIrq irq(int gsi) {
    ways++;
    Trigger t = () -> taken.computeIfAbsent(routes.get(gsi), m -> new EventCounter()).signalled();
    return new GuestIrq() {
      @Override
      public Trigger trigger() {
        return t;
      }

      @Override
      public boolean disconnect() {
        return false;
      }

      @Override
      public void close() {
        ways--;
      }
    };
  }

  long take(GuestMsi message) {
    return taken.getOrDefault(message, new EventCounter()).take();
  }
}
