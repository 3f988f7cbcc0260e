package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/// RAM of the embedded machine: what lies in one quadword does not take its neighbours along.
public class RamStress {
  private static Ram ram() {
    return new Ram(List.of(AddressRange.ofSize(0, 64)));
  }

  @JCStressTest
  @State
  @Outcome(id = "513, 0", expect = Expect.ACCEPTABLE, desc = "both bytes are there")
  public static class BytesOfOneQuadword {
    private final Ram ram = ram();

    @Actor
    public void first() {
      ram.write(8, 1, 1);
    }

    @Actor
    public void second() {
      ram.write(9, 2, 1);
    }

    @Arbiter
    public void look(JJ_Result r) {
      r.r1 = ram.read(8, 8);
    }
  }

  @JCStressTest
  @State
  @Outcome(id = "513, 1", expect = Expect.ACCEPTABLE, desc = "the byte and the bit are there")
  public static class ByteAndBit {
    private final Ram ram = ram();

    @Actor
    public void write() {
      ram.write(9, 2, 1);
    }

    @Actor
    public void set(JJ_Result r) {
      long old;
      do {
        old = ram.read(8, 8);
      } while (!ram.compareAndSet64(8, old, old | 1));
      r.r2 = 1;
    }

    @Arbiter
    public void look(JJ_Result r) {
      r.r1 = ram.read(8, 8);
    }
  }

  /// What a device wrote before is seen by who sees what it wrote last.
  @JCStressTest
  @State
  @Outcome(
      id = {"0, 0", "0, 1", "1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "the data are there when the flag is")
  public static class DataAndFlag {
    private final Ram ram = ram();

    @Actor
    public void device() {
      ram.write(0, 1, 8);
      ram.write(32, 1, 4);
    }

    @Actor
    public void driver(JJ_Result r) {
      r.r1 = ram.read(32, 4);
      r.r2 = ram.read(0, 8);
    }
  }
}
