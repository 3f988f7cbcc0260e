package dev.doorbell.hw.pcie;

import dev.doorbell.pci.ConfigSpace;
import java.util.concurrent.locks.ReentrantLock;

/// The live configuration space of a model, as software reads and writes it. Reads take the function's lock; a write is the function's own
/// affair, since it may have effects that must happen outside the lock.
final class LockedConfig implements ConfigSpace {
  private final ConfigStorage storage;
  private final ReentrantLock lock;
  private final Writes writes;

  /// What a function does with a checked write.
  interface Writes {
    void write(int offset, int value, int bytes);
  }

  LockedConfig(ConfigStorage storage, ReentrantLock lock, Writes writes) {
    this.storage = storage;
    this.lock = lock;
    this.writes = writes;
  }

  @Override
  public int size() {
    return storage.size();
  }

  @Override
  public int read(int offset, int bytes) {
    ConfigSpace.check(offset, bytes);
    lock.lock();
    try {
      return storage.read(offset, bytes);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void write(int offset, int value, int bytes) {
    ConfigSpace.check(offset, bytes);
    writes.write(offset, value, bytes);
  }
}
