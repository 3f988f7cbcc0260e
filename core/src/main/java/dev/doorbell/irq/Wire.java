package dev.doorbell.irq;

import dev.doorbell.bus.Rollback;
import java.util.concurrent.locks.ReentrantLock;

/// A connected sender of one message: its vector is moved and given back here, its registers are the driver's.
///
/// Safe for use from many threads. What is abstract is called with the lock held.
public abstract class Wire {
  /// What {@link Wires#connect} gives a wire.
  public static final class End {
    private final Wires wires;
    private final String name;
    private final VectorBlock vector;

    End(Wires wires, String name, VectorBlock vector) {
      this.wires = wires;
      this.name = name;
      this.vector = vector;
    }
  }

  /// The sender's vector, of index 0.
  protected final VectorBlock vector;

  private final Wires wires;
  private final String name;
  private boolean open = true;

  protected Wire(End end) {
    wires = end.wires;
    name = end.name;
    vector = end.vector;
  }

  /// {@return what the registers have of the vector's message}
  protected abstract long message();

  /// Writes the vector's message, and lets the sender send.
  protected abstract void program();

  /// Keeps the sender from sending.
  protected abstract void silence();

  /// {@return the number under which the controller tells of its interrupts}
  public final int vector() {
    return vector.number(0);
  }

  /// {@return the CPU that takes them}
  public final int cpu() {
    return vector.cpu(0);
  }

  /// Moves the sender to another CPU. Where its message names the CPU, it does not send while that changes. When it throws, the sender sends to
  /// the CPU where it was.
  ///
  /// @throws IllegalStateException when it has been disconnected
  public final void retarget(int cpu) {
    change(() -> {
      try (Rollback rollback = new Rollback()) {
        int before = vector.cpu(0);
        long message = message();
        vector.retarget(0, cpu);
        boolean changed = message() != message;
        // Taken back last first: the vector returns, and the sender is programmed as it was.
        rollback.add(() -> vector.finishMove(0));
        if (changed) {
          rollback.add(this::program);
        }
        rollback.add(() -> vector.retarget(0, before));
        if (changed) {
          program();
        }
        vector.finishMove(0);
        rollback.commit();
      }
    });
  }

  /// Gives the vector back.
  ///
  /// @throws IllegalStateException when it has been disconnected
  public final void disconnect() {
    change(() -> {
      silence();
      vector.free();
      open = false;
      wires.forget(name);
    });
  }

  /// Does something to a connected sender with the lock held.
  protected final void change(Runnable action) {
    ReentrantLock lock = wires.lock();
    lock.lock();
    try {
      if (!open) {
        throw new IllegalStateException(name + " has been disconnected");
      }
      action.run();
    } finally {
      lock.unlock();
    }
  }

  /// The caller holds the lock, and gives the vector back when this throws.
  void begin(int cpu, Rollback rollback) {
    rollback.add(this::silence);
    vector.activate(0, cpu);
    program();
  }
}
