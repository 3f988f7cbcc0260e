package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.pci.Sbdf;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName("waiting for a trigger that counts")
@Timeout(60)
class EventCounterTest {
  private final EventCounter counter = new EventCounter();

  /// A host that hands on what a case says.
  private record HandingOn(IntSupplier deliverer) implements Vfio {
    @Override
    public List<Group> groups() {
      return List.of();
    }

    @Override
    public Group group(Sbdf function) {
      throw new UnsupportedOperationException("there is none");
    }

    @Override
    public Container open(ContainerOptions options) {
      throw new UnsupportedOperationException("there is none");
    }

    @Override
    public int deliver() {
      return deliverer.getAsInt();
    }

    @Override
    public void close() {}
  }

  @Test
  @DisplayName("what the host has to hand on is handed on, also after some looks, and taken")
  void handedOn() throws InterruptedException {
    int[] looks = {0};
    Vfio host =
        new HandingOn(() -> {
          if (++looks[0] == 3) {
            counter.signalled();
            counter.signalled();
          }
          return 0;
        });
    assertEquals(2, counter.await(host, Duration.ofSeconds(50)));
    assertEquals(3, looks[0]);
    assertEquals(0, counter.count());
  }

  @Test
  @DisplayName(
      "patience ends: one look for none, and none is lost by signals that were taken before")
  void patience() throws InterruptedException {
    int[] looks = {0};
    Vfio host = new HandingOn(() -> ++looks[0]);
    assertEquals(0, counter.await(host, Duration.ZERO));
    assertEquals(1, looks[0]);
    assertEquals(0, counter.await(host, Duration.ofNanos(1)));
    assertEquals(3, looks[0], "patience of less than a pause is one");
    counter.signalled();
    assertEquals(1, counter.take());
    looks[0] = 0;
    assertEquals(0, counter.await(host, Duration.ofMillis(25)));
    assertEquals(5, looks[0], "three pauses of 10 ms, one that a signal of before cut short");
  }

  @Test
  @DisplayName("a signal of another thread ends the wait")
  void anotherThread() throws InterruptedException {
    Vfio host = new HandingOn(() -> 0);
    for (int i = 0; i < 100; i++) {
      Thread other = Thread.ofVirtual().start(counter::signalled);
      assertEquals(1, counter.await(host, Duration.ofSeconds(50)));
      other.join();
    }
  }

  @Test
  @DisplayName("several who wait: each signal is taken once, and none waits on while there is one")
  void severalWaiters() throws InterruptedException {
    Vfio host = new HandingOn(() -> 0);
    AtomicLong taken = new AtomicLong();
    long signals = 3_000;
    List<Thread> waiters =
        IntStream.range(0, 3)
            .mapToObj(i ->
                Thread.ofVirtual()
                    .start(() -> {
                      try {
                        while (taken.get() < signals) {
                          taken.addAndGet(counter.await(host, Duration.ofMillis(10)));
                        }
                      } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                      }
                    }))
            .toList();
    for (long i = 0; i < signals; i++) {
      counter.signalled();
    }
    for (Thread waiter : waiters) {
      waiter.join();
    }
    assertEquals(signals, taken.get());
    assertEquals(0, counter.count());
  }
}
