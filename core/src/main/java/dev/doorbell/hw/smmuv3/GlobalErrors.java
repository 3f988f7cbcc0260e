package dev.doorbell.hw.smmuv3;

import java.util.concurrent.locks.ReentrantLock;

/// The pair SMMU_GERROR and SMMU_GERRORN: an error is active while its two bits differ. Safe for use from many threads.
///
/// **Source** IHI 0070 G.b, 6.3 SMMU_GERROR, SMMU_GERRORN.
final class GlobalErrors {
  private final SmmuPort port;
  private final ReentrantLock lock = new ReentrantLock();

  GlobalErrors(SmmuPort port) {
    this.port = port;
  }

  /// {@return the bits of the active errors}
  long active() {
    return port.read(SmmuRegisters.GERROR) ^ port.read(SmmuRegisters.GERRORN);
  }

  /// Acknowledges errors. The two queues do so from different threads, and the register is one word.
  void acknowledge(long errors) {
    lock.lock();
    try {
      port.write(SmmuRegisters.GERRORN, port.read(SmmuRegisters.GERRORN) ^ (active() & errors));
    } finally {
      lock.unlock();
    }
  }
}
