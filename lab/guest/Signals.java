import dev.doorbell.vfio.EventCounter;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Counters of a device's vectors, and the rounds that are raised and counted with them.
final class Signals {
  static final int ROUNDS = 20;
  private static final int WAIT_MILLIS = 10_000;
  private static final int QUIET_MILLIS = 100;

  private final String what;
  private final Raiser raiser;
  private final List<EventCounter> counters;

  Signals(String what, Raiser raiser, int vectors) {
    this.what = what;
    this.raiser = raiser;
    this.counters = Stream.generate(EventCounter::new).limit(vectors).toList();
  }

  List<EventCounter> counters() {
    return counters;
  }

  EventCounter counter(int vector) {
    return counters.get(vector);
  }

  /// Every vector, one after the other. A device may repeat a message that it once held back, so that a vector counts once a round; a vector
  /// that signals while another one is raised is a failure.
  void rounds(String when) throws InterruptedException {
    rounds(IntStream.range(0, counters.size()).boxed().toList(), when);
  }

  void rounds(List<Integer> vectors, String when) throws InterruptedException {
    int received = 0;
    int strays = 0;
    for (int v : vectors) {
      settle();
      for (int i = 0; i < ROUNDS; i++) {
        received += fires(v) ? 1 : 0;
        raiser.clear();
      }
      for (int w = 0; w < counters.size(); w++) {
        if (w != v && !raiser.isBusy(w) && counter(w).count() > 0) {
          Lab.say("%s: vector %d signalled %d times while vector %d was raised".formatted(what, w, counter(w).count(), v));
          strays++;
        }
      }
    }
    settle();
    int expected = vectors.size() * ROUNDS;
    Lab.check(received == expected && strays == 0, "%s: %d of %d messages, each on its own vector %s".formatted(what, received, expected, when));
  }

  /// Raises a vector and waits for its signal.
  boolean fires(int vector) throws InterruptedException {
    raiser.raise(vector);
    return comes(vector);
  }

  boolean comes(int vector) throws InterruptedException {
    EventCounter c = counter(vector);
    for (int i = 0; i < WAIT_MILLIS && c.count() == 0; i++) {
      Thread.sleep(1);
    }
    return c.take() > 0;
  }

  boolean isQuiet(int vector) throws InterruptedException {
    Thread.sleep(QUIET_MILLIS);
    return counter(vector).take() == 0;
  }

  /// Clears every cause and waits for what is on its way.
  void settle() throws InterruptedException {
    raiser.clear();
    Thread.sleep(QUIET_MILLIS);
    counters.forEach(EventCounter::take);
  }
}
