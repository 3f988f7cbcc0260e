package dev.doorbell.linux.kvm;

import org.jspecify.annotations.Nullable;

/// A platform thread that runs a virtual processor and hands what it comes back with to somebody. Safe for use from many threads.
public final class VcpuThread implements AutoCloseable {
  /// What is done with exits.
  @FunctionalInterface
  public interface Exits {
    /// {@return whether the processor runs on}
    ///
    /// @param exit never {@link VcpuExit.Stopped}
    boolean handle(VcpuExit exit);
  }

  private final KvmVcpu vcpu;
  private final Exits exits;
  private final Thread thread;
  private volatile @Nullable Throwable failure;

  private VcpuThread(KvmVcpu vcpu, String name, Exits exits) {
    this.vcpu = vcpu;
    this.exits = exits;
    this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::loop);
  }

  /// {@return a thread that runs from now on}
  public static VcpuThread start(KvmVcpu vcpu, String name, Exits exits) {
    VcpuThread t = new VcpuThread(vcpu, name, exits);
    t.thread.start();
    return t;
  }

  private void loop() {
    try {
      vcpu.claimThread();
      try {
        VcpuExit e;
        do {
          e = vcpu.run();
        } while (!(e instanceof VcpuExit.Stopped) && exits.handle(e));
      } finally {
        vcpu.leaveThread();
      }
    } catch (RuntimeException | Error e) {
      failure = e;
    }
  }

  /// Waits for its end.
  ///
  /// {@return whether it has ended}
  ///
  /// @param millis 0 for ever
  /// @throws IllegalStateException when it ended by an exception, with that as cause
  public boolean await(long millis) throws InterruptedException {
    thread.join(millis);
    Throwable f = failure;
    if (f != null) {
      throw new IllegalStateException(thread.getName() + " ended by " + f.getMessage(), f);
    }
    return !thread.isAlive();
  }

  /// Stops the processor and waits until its thread has ended.
  @Override
  public void close() {
    vcpu.stop();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
