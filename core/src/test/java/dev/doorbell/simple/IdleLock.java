package dev.doorbell.simple;

import java.util.concurrent.locks.ReentrantLock;

/// A lock that keeps nobody out: the fault that tests of threads must see.
public final class IdleLock extends ReentrantLock {
  private static final long serialVersionUID = 1L;

  @Override
  public void lock() {
    // Nobody waits, and others come in.
    Thread.yield();
  }

  @Override
  public void unlock() {
    Thread.onSpinWait();
  }
}
