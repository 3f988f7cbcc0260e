package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.STATUS_REG;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;

/// A log as its driver reads it. Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.5 to 2.7.
final class LogReader {
  private static final int LENGTH = 9;

  /// 512 records of 16 bytes, or 1,024 of 8.
  private static final long BUFFER = Log.bytes(Log.base(0, LENGTH));

  private static final long MASK = BUFFER - 1;

  private final Log log;
  private final AmdViPort port;
  private final Frames frames;
  private final Pa base;
  private final ReentrantLock lock = new ReentrantLock();

  private LogReader(Log log, AmdViPort port, Frames frames) {
    this.log = log;
    this.port = port;
    this.frames = frames;
    this.base = frames.allocate(BUFFER, BUFFER);
  }

  /// {@return an empty log}
  static LogReader create(Log log, AmdViPort port, Frames frames) {
    return new LogReader(log, port, frames);
  }

  /// Tells the hardware where the log is, which must be disabled.
  void program() {
    port.write(log.base(), Log.base(base.value(), LENGTH));
    port.write(log.head(), 0);
    port.write(log.tail(), 0);
    port.write(STATUS_REG, log.overflow().mask() | log.interrupt().mask());
  }

  /// Hands out where each waiting record lies, oldest first; a log that was full runs again on return.
  ///
  /// {@return whether records were lost}
  boolean drain(LongConsumer record) {
    lock.lock();
    try {
      // Cleared before the look, so that a record which comes meanwhile sets it again.
      port.write(STATUS_REG, log.interrupt().mask());
      long tail = log.pointer().get(port.read(log.tail())) & MASK;
      long head = log.pointer().get(port.read(log.head())) & MASK;
      for (long at = head; at != tail; at = at + log.bytes() & MASK) {
        record.accept(base.value() + at);
      }
      if (head != tail) {
        port.write(log.head(), tail);
      }
      boolean lost = port.isSet(STATUS_REG, log.overflow());
      if (lost) {
        restart();
      }
      return lost;
    } finally {
      lock.unlock();
    }
  }

  /// Gives the memory back. The log must be disabled.
  void free() {
    frames.free(base, BUFFER);
  }

  private void restart() {
    port.control(log.enable(), false);
    port.awaitStatus(log.running(), false);
    port.write(STATUS_REG, log.overflow().mask());
    port.control(log.enable(), true);
  }
}
