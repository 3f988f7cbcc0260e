package dev.doorbell.irq;

import dev.doorbell.bus.Rollback;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/// Senders of one message each that share registers and a requester id: pins of an I/O APIC, timers of an HPET. Each that is connected has a
/// vector of the controller where its message ends.
///
/// Safe for use from many threads; the lock is taken before the controller's.
public final class Wires {
  private final MsiController controller;
  private final int sourceId;
  private final ReentrantLock lock;
  private final Set<String> connected = new HashSet<>();

  /// @param controller where the messages end
  /// @param sourceId the requester id that they carry
  /// @param lock that of the registers' driver
  public Wires(MsiController controller, int sourceId, ReentrantLock lock) {
    this.controller = controller;
    this.sourceId = sourceId;
    this.lock = lock;
  }

  /// {@return where the messages end}
  public MsiController controller() {
    return controller;
  }

  /// Gives a sender a vector, and lets it send.
  ///
  /// @param name the sender's, for messages
  /// @param maker makes the sender's wire; not to be used by it before this returns
  /// @throws IllegalStateException when the sender has a vector
  /// @throws IrqException when there is no vector; nothing is changed then
  public <W extends Wire> W connect(String name, int cpu, Function<Wire.End, W> maker) {
    lock.lock();
    try {
      if (connected.contains(name)) {
        throw new IllegalStateException(name + " is connected");
      }
      VectorBlock vector = controller.allocate(new MsiSource(name, sourceId), 1, false);
      try (Rollback rollback = new Rollback()) {
        rollback.add(vector::free);
        W made = maker.apply(new Wire.End(this, name, vector));
        made.begin(cpu, rollback);
        connected.add(name);
        rollback.commit();
        return made;
      }
    } finally {
      lock.unlock();
    }
  }

  void forget(String name) {
    connected.remove(name);
  }

  ReentrantLock lock() {
    return lock;
  }
}
