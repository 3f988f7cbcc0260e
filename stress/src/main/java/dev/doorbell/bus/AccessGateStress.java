package dev.doorbell.bus;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// The gate: whoever reads what was before a change is out when the drain after the change returns.
public class AccessGateStress {
  @JCStressTest
  @State
  @Outcome(
      id = "0, 0",
      expect = Expect.ACCEPTABLE,
      desc = "the access used the old state, and the drain had not returned")
  @Outcome(
      id = {"1, 0", "1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "the access used the new state")
  public static class Drained {
    private final AccessGate gate = new AccessGate();
    private volatile int state;
    private volatile int drained;

    @Actor
    public void access(II_Result r) {
      int slot = gate.enter();
      r.r1 = state;
      r.r2 = drained;
      gate.leave(slot);
    }

    @Actor
    public void change() {
      state = 1;
      gate.drain();
      drained = 1;
    }
  }

  /// The same with a claim within a claim.
  @JCStressTest
  @State
  @Outcome(
      id = "0, 0",
      expect = Expect.ACCEPTABLE,
      desc = "the access used the old state, and the drain had not returned")
  @Outcome(
      id = {"1, 0", "1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "the access used the new state")
  public static class DrainedNested {
    private final AccessGate gate = new AccessGate();
    private volatile int state;
    private volatile int drained;

    @Actor
    public void access(II_Result r) {
      int outer = gate.enter();
      int inner = gate.enter();
      int seen = state;
      gate.leave(inner);
      r.r1 = seen;
      r.r2 = drained;
      gate.leave(outer);
    }

    @Actor
    public void change() {
      state = 1;
      gate.drain();
      drained = 1;
    }
  }
}
