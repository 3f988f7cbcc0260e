package dev.doorbell.hw.gicv3;

import dev.doorbell.bus.AccessGate;
import dev.doorbell.simple.SimpleMemory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/// Pending LPIs: none is lost, each is taken once, and who looks for them finds them.
public class LpiBankStress {
  private static final int ID_BITS = 14;
  private static final int ONE = 8192;
  private static final int BESIDE = 8193;

  private static LpiBank bank() {
    return new LpiBank(new SimpleMemory(0, (1 << ID_BITS) / Byte.SIZE), 0, 0, ID_BITS, 5);
  }

  private static int take(LpiBank bank, int intid) {
    return bank.takePending(intid) ? 1 : 0;
  }

  @JCStressTest
  @State
  @Outcome(id = "1, 1, -1", expect = Expect.ACCEPTABLE, desc = "both bits of the quadword are set")
  public static class TwoArrive {
    private final LpiBank bank = bank();

    @Actor
    public void first() {
      bank.setPending(ONE);
    }

    @Actor
    public void second() {
      bank.setPending(BESIDE);
    }

    @Arbiter
    public void take(III_Result r) {
      r.r1 = LpiBankStress.take(bank, ONE);
      r.r2 = LpiBankStress.take(bank, BESIDE);
      r.r3 = bank.nextPending(ONE);
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"1, 0, -1", "0, 1, -1"},
      expect = Expect.ACCEPTABLE,
      desc = "one of the two takes it")
  public static class TakenTwice {
    private final LpiBank bank = bank();

    public TakenTwice() {
      bank.setPending(ONE);
    }

    @Actor
    public void first(III_Result r) {
      r.r1 = take(bank, ONE);
    }

    @Actor
    public void second(III_Result r) {
      r.r2 = take(bank, ONE);
    }

    @Arbiter
    public void look(III_Result r) {
      r.r3 = bank.nextPending(ONE);
    }
  }

  /// A search finds a quadword empty and takes its mark back while an LPI arrives there.
  @JCStressTest
  @State
  @Outcome(
      id = {"-1, 8193, 1", "8193, 8193, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "seen now or by the next search")
  public static class ArrivesWhileSearched {
    private final LpiBank bank = bank();

    public ArrivesWhileSearched() {
      bank.setPending(ONE);
      bank.takePending(ONE);
    }

    @Actor
    public void search(III_Result r) {
      r.r1 = bank.nextPending(ONE);
    }

    @Actor
    public void arrive() {
      bank.setPending(BESIDE);
    }

    @Arbiter
    public void look(III_Result r) {
      r.r2 = bank.nextPending(ONE);
      r.r3 = take(bank, BESIDE);
    }
  }

  /// A device writes, then raises an LPI that is pending already, so that its bit is left alone: who takes the bit sees what was written, or it
  /// is pending once more.
  @JCStressTest
  @State
  @Outcome(id = "1, 1, 0", expect = Expect.ACCEPTABLE, desc = "one interrupt, which tells of it")
  @Outcome(
      id = {"1, 0, 1", "1, 1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "taken before: another one tells of it")
  public static class RaisedWhilePending {
    private final AccessGate gate = new AccessGate();
    private final LpiBank bank = bank();
    private int written;

    public RaisedWhilePending() {
      bank.setPending(ONE);
    }

    @Actor
    public void device() {
      written = 1;
      int slot = gate.enter();
      bank.setPending(ONE);
      gate.leave(slot);
    }

    @Actor
    public void cpu(III_Result r) {
      r.r1 = take(bank, ONE);
      r.r2 = written;
    }

    @Arbiter
    public void look(III_Result r) {
      r.r3 = take(bank, ONE);
    }
  }
}
