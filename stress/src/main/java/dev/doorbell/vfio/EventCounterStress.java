package dev.doorbell.vfio;

import dev.doorbell.pci.Sbdf;
import java.time.Duration;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;

/// A trigger that counts: each signal is taken once, by whoever waits.
public class EventCounterStress {
  private static final Vfio QUIET = new Quiet();

  /// A host with nothing to hand on.
  private static final class Quiet implements Vfio {
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
      return 0;
    }

    @Override
    public void close() {}
  }

  private static long await(EventCounter counter, Duration patience) {
    try {
      return counter.await(QUIET, patience);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @JCStressTest
  @State
  @Outcome(id = "3", expect = Expect.ACCEPTABLE, desc = "each of three signals was taken once")
  public static class TwoWaiters {
    private final EventCounter counter = new EventCounter();
    private long first;
    private long second;

    @Actor
    public void signal() {
      counter.signalled();
      counter.signalled();
      counter.signalled();
      first = await(counter, Duration.ZERO);
    }

    @Actor
    public void awaitSecond() {
      second = await(counter, Duration.ZERO);
    }

    @Arbiter
    public void sum(J_Result r) {
      r.r1 = first + second + counter.count();
    }
  }

  /// A waiter that has patience is woken.
  @JCStressTest
  @State
  @Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "the waiter saw a signal")
  public static class Woken {
    private final EventCounter counter = new EventCounter();

    @Actor
    public void signal() {
      counter.signalled();
    }

    @Actor
    public void await(J_Result r) {
      r.r1 = EventCounterStress.await(counter, Duration.ofSeconds(60));
    }
  }
}
