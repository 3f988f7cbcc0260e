package dev.doorbell.hw.pcie;

import dev.doorbell.pci.MessageTable;
import java.util.BitSet;
import java.util.Optional;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/// What a function may send: address and datum of one entry, never halves of two.
public class ReadyMessagesStress {
  private record Entry(long address, int data) implements MessageModel {
    @Override
    public MessageTable.Kind kind() {
      return MessageTable.Kind.MSIX;
    }

    @Override
    public boolean isOn() {
      return true;
    }

    @Override
    public int vectors() {
      return 1;
    }

    @Override
    public boolean isMasked(int vector) {
      return false;
    }

    @Override
    public long address(int vector) {
      return address;
    }

    @Override
    public int data(int vector) {
      return data;
    }

    @Override
    public BitSet pending() {
      return new BitSet();
    }

    @Override
    public void reset() {}
  }

  private static void read(ReadyMessages ready, JJ_Result r) {
    long begun = ready.version();
    long address = ready.address(0);
    long datum = ready.datum(0, begun);
    if (ReadyMessages.isReady(datum)) {
      r.r1 = address;
      r.r2 = (int) datum;
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"1, 1", "2, 2"},
      expect = Expect.ACCEPTABLE,
      desc = "the old or the new message")
  @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "the slow way, under the lock")
  public static class Reprogrammed {
    private final ReadyMessages ready = new ReadyMessages(1);

    public Reprogrammed() {
      ready.refresh(Optional.of(new Entry(1, 1)));
    }

    @Actor
    public void refresh() {
      ready.refresh(Optional.of(new Entry(2, 2)), 0);
    }

    @Actor
    public void fire(JJ_Result r) {
      read(ready, r);
    }
  }

  /// Back to the same datum by way of another: the version tells.
  @JCStressTest
  @State
  @Outcome(
      id = {"1, 1", "2, 2", "3, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "one of the three")
  @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "the slow way, under the lock")
  public static class ReprogrammedTwice {
    private final ReadyMessages ready = new ReadyMessages(1);

    public ReprogrammedTwice() {
      ready.refresh(Optional.of(new Entry(1, 1)));
    }

    @Actor
    public void refresh() {
      ready.refresh(Optional.of(new Entry(2, 2)), 0);
      ready.refresh(Optional.of(new Entry(3, 1)), 0);
    }

    @Actor
    public void fire(JJ_Result r) {
      read(ready, r);
    }
  }
}
