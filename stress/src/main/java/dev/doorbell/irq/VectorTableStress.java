package dev.doorbell.irq;

import dev.doorbell.simple.HardwareWrites;
import dev.doorbell.simple.SimpleMsiController;
import java.util.concurrent.locks.ReentrantLock;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/// What is remembered of vectors, and who waits for them.
public class VectorTableStress {
  private static final MsiController CONTROLLER =
      new SimpleMsiController("simple", 0x1040, 64, 8, true, new HardwareWrites());

  private static VectorStates states() {
    return new VectorStates("0000:01:00.0", CONTROLLER, new ReentrantLock(), 1);
  }

  @JCStressTest
  @State
  @Outcome(id = "2", expect = Expect.ACCEPTABLE, desc = "both changes are there")
  @Outcome(
      id = {"0", "1"},
      expect = Expect.FORBIDDEN,
      desc = "one was lost")
  public static class TwoChanges {
    private final VectorStates states = states();
    private int moves;

    @Actor
    public void first() {
      states.change(0, () -> moves++);
    }

    @Actor
    public void second() {
      states.change(0, () -> moves++);
    }

    @Arbiter
    public void count(I_Result r) {
      r.r1 = moves;
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"1, 1, 0", "0, 1, 0"},
      expect = Expect.ACCEPTABLE,
      desc = "moved before it was freed, or refused after")
  public static class MovedAndFreed {
    private final VectorStates states = states();
    private boolean freed;
    private int late;

    @Actor
    public void move(III_Result r) {
      try {
        states.change(
            0,
            () -> {
              states.setCpu(0, 1);
              late = freed ? 1 : 0;
            });
        r.r1 = 1;
      } catch (IllegalStateException _) {
        r.r1 = 0;
      }
    }

    @Actor
    public void free(III_Result r) {
      states.free(() -> freed = true);
      r.r2 = freed ? 1 : 0;
    }

    @Arbiter
    public void look(III_Result r) {
      r.r3 = late;
    }
  }

  @JCStressTest
  @State
  @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "freed once")
  public static class FreedTwice {
    private final VectorStates states = states();
    private int freed;

    @Actor
    public void first() {
      states.free(() -> freed++);
    }

    @Actor
    public void second() {
      states.free(() -> freed++);
    }

    @Arbiter
    public void count(II_Result r) {
      r.r1 = freed;
    }
  }

  /// An interrupt arrives while somebody starts to wait for it, and another one begins to be waited for.
  @JCStressTest
  @State
  @Outcome(
      id = {"1, 0, 1", "0, 1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "told or counted as unclaimed, and never lost")
  public static class ArrivedAndAdded {
    private final InterruptDispatch dispatch = new InterruptDispatch();
    private volatile int told;
    private volatile int toldOther;

    @Actor
    public void add() {
      dispatch.add(8192, (intid, cpu) -> told++);
      dispatch.add(8191, (intid, cpu) -> toldOther++);
    }

    @Actor
    public void arrive() {
      dispatch.arrived(8192, 0);
    }

    @Arbiter
    public void look(III_Result r) {
      r.r1 = told;
      r.r2 = (int) dispatch.unclaimed();
      dispatch.arrived(8191, 0);
      r.r3 = toldOther;
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"1, 0", "0, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "told or counted as unclaimed")
  public static class ArrivedAndRemoved {
    private final InterruptDispatch dispatch = new InterruptDispatch();
    private volatile int told;

    public ArrivedAndRemoved() {
      dispatch.add(8192, (intid, cpu) -> told++);
    }

    @Actor
    public void remove() {
      dispatch.remove(8192);
    }

    @Actor
    public void arrive() {
      dispatch.arrived(8192, 0);
    }

    @Arbiter
    public void look(II_Result r) {
      r.r1 = told;
      r.r2 = (int) dispatch.unclaimed();
    }
  }

  /// Two collections at once do not mix.
  @JCStressTest
  @State
  @Outcome(id = "33, 44", expect = Expect.ACCEPTABLE, desc = "each collection told its own")
  public static class TwoRounds {
    private final ArrivedInterrupts arrived = new ArrivedInterrupts();

    private int collect(int intid) {
      int[] told = new int[1];
      ArrivedInterrupts.Round round = arrived.begin();
      round.arrived(intid, 0);
      round.arrived(10 * intid, 0);
      round.deliver((i, cpu) -> told[0] += i);
      return told[0];
    }

    @Actor
    public void first(II_Result r) {
      r.r1 = collect(3);
    }

    @Actor
    public void second(II_Result r) {
      r.r2 = collect(4);
    }
  }
}
