package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIII_Result;

/// The MSI window of a domain: a doorbell has one place, which is there, and mapped, as long as anybody has a lease of it.
public class MsiWindowStress {
  private static final long WINDOW = 0x800_0000;
  private static final long PAGE = 0x1000;

  /// A domain with a window, and a group that rings in it.
  private static final class Machine {
    private final Bench bench = new Bench();
    private final IommuGroup group = bench.group(1);
    private final Domain domain = bench.user("vm");

    Machine(int pages) {
      domain.reserveMsiWindow(AddressRange.ofSize(WINDOW, pages * PAGE));
    }

    DoorbellLease claim(DoorbellFrame frame) {
      return domain.doorbells().claim(group, Bench.ringing(group, frame)).getFirst();
    }

    int tryClaim(DoorbellFrame frame) {
      try {
        return place(claim(frame));
      } catch (MsiWindowExhausted _) {
        return -1;
      }
    }

    int used() {
      return (int) domain.msiWindow().orElseThrow().used();
    }

    int mapped() {
      return domain.translate(new Iova(WINDOW)).isPresent() ? 1 : 0;
    }

    private static int place(DoorbellLease lease) {
      return (int) ((lease.iova().value() - WINDOW) / PAGE);
    }
  }

  private static int release(DoorbellLease lease) {
    try {
      lease.release();
      return 1;
    } catch (IllegalStateException _) {
      return 0;
    }
  }

  @JCStressTest
  @State
  @Outcome(id = "0, 0, 1, 0", expect = Expect.ACCEPTABLE, desc = "one place for one doorbell")
  public static class SameDoorbell {
    private final Machine machine = new Machine(2);

    @Actor
    public void first(IIII_Result r) {
      r.r1 = machine.tryClaim(Bench.ITS0);
    }

    @Actor
    public void second(IIII_Result r) {
      r.r2 = machine.tryClaim(Bench.ITS0);
    }

    @Arbiter
    public void count(IIII_Result r) {
      r.r3 = machine.used();
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"0, -1, 1, 0", "-1, 0, 1, 0"},
      expect = Expect.ACCEPTABLE,
      desc = "the only place goes to one")
  public static class LastPlace {
    private final Machine machine = new Machine(1);

    @Actor
    public void first(IIII_Result r) {
      r.r1 = machine.tryClaim(Bench.ITS0);
    }

    @Actor
    public void second(IIII_Result r) {
      r.r2 = machine.tryClaim(Bench.ITS1);
    }

    @Arbiter
    public void count(IIII_Result r) {
      r.r3 = machine.used();
    }
  }

  /// The last lease of a doorbell leaves while somebody else claims and maps the same.
  @JCStressTest
  @State
  @Outcome(
      id = "1, 0, 1, 1",
      expect = Expect.ACCEPTABLE,
      desc = "the new lease has a place that is mapped")
  public static class LeftAndClaimed {
    private final Machine machine = new Machine(1);
    private final DoorbellLease old = machine.claim(Bench.ITS0);

    public LeftAndClaimed() {
      old.map();
    }

    @Actor
    public void leave(IIII_Result r) {
      r.r1 = release(old);
    }

    @Actor
    public void claim(IIII_Result r) {
      DoorbellLease lease = machine.claim(Bench.ITS0);
      lease.map();
      r.r2 = Machine.place(lease);
    }

    @Arbiter
    public void look(IIII_Result r) {
      r.r3 = machine.used();
      r.r4 = machine.mapped();
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = "1, 1, 0, 0",
      expect = Expect.ACCEPTABLE,
      desc = "gone with the last lease, and not before")
  public static class BothLeave {
    private final Machine machine = new Machine(1);
    private final DoorbellLease one = machine.claim(Bench.ITS0);
    private final DoorbellLease other = machine.claim(Bench.ITS0);

    public BothLeave() {
      one.map();
      other.map();
    }

    @Actor
    public void first(IIII_Result r) {
      r.r1 = release(one);
    }

    @Actor
    public void second(IIII_Result r) {
      r.r2 = release(other);
    }

    @Arbiter
    public void look(IIII_Result r) {
      r.r3 = machine.used();
      r.r4 = machine.mapped();
    }
  }

  /// A lease is given back twice at once, while another one of the same doorbell stays.
  @JCStressTest
  @State
  @Outcome(
      id = {"1, 0, 1, 1", "0, 1, 1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "once, and the other lease keeps its mapping")
  public static class LeftTwice {
    private final Machine machine = new Machine(1);
    private final DoorbellLease lease = machine.claim(Bench.ITS0);
    private final DoorbellLease stays = machine.claim(Bench.ITS0);

    public LeftTwice() {
      lease.map();
      stays.map();
    }

    @Actor
    public void first(IIII_Result r) {
      r.r1 = release(lease);
    }

    @Actor
    public void second(IIII_Result r) {
      r.r2 = release(lease);
    }

    @Arbiter
    public void look(IIII_Result r) {
      r.r3 = machine.used();
      r.r4 = machine.mapped();
    }
  }
}
