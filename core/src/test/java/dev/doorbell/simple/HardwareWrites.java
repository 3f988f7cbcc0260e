package dev.doorbell.simple;

import java.util.ArrayList;
import java.util.List;

/// Every hardware write of a simple machine, in order. Can be told to fail at the n-th one from now. Safe for use from many
/// threads.
public final class HardwareWrites {
  private final List<String> log = new ArrayList<>();
  private long count;
  private long failAt = -1;
  private Runnable first = () -> {};
  private Runnable each = () -> {};

  /// Records a write that is about to happen.
  ///
  /// @throws InjectedFault when it is the one that must fail
  public void write(String what) {
    takeFirst().run();
    runEach();
    record(what);
  }

  private void runEach() {
    Runnable now = each;
    each = () -> {};
    now.run();
    each = now;
  }

  /// Runs something before every write, on the thread that writes. For one thread.
  public void onEachWrite(Runnable called) {
    each = called;
  }

  private synchronized Runnable takeFirst() {
    Runnable now = first;
    first = () -> {};
    return now;
  }

  private synchronized void record(String what) {
    count++;
    if (count == failAt) {
      failAt = -1;
      throw new InjectedFault(count, what);
    }
    log.add(what);
  }

  /// Runs something in the middle of the next write, once, on the thread that writes.
  public synchronized void onNextWrite(Runnable called) {
    first = called;
  }

  /// Makes the n-th write from now fail, once; 1 is the next one.
  public synchronized void failAt(long nth) {
    failAt = count + nth;
  }

  /// {@return whether the write that was to fail did not come}
  public synchronized boolean stillToFail() {
    return failAt >= 0;
  }

  public synchronized void neverFail() {
    failAt = -1;
  }

  public synchronized long count() {
    return count;
  }

  public synchronized List<String> log() {
    return List.copyOf(log);
  }
}
