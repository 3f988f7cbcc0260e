import java.util.concurrent.Callable;

/// Waits that end when what is waited for is there, or fail when it does not come.
final class Waiting {
  static final int PATIENCE_MILLIS = 600_000;
  private static final int PAUSE_MILLIS = 50;

  private Waiting() {}

  /// {@return whether it came}
  static boolean until(Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
    while (!condition.call()) {
      if (System.nanoTime() > end) {
        return false;
      }
      Thread.sleep(PAUSE_MILLIS);
    }
    return true;
  }
}
