package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIJ_Result;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/// The IOVA allocator: an address has one owner, and none is lost.
public class IovaAllocatorStress {
  private static final long PAGE = 4096;
  private static final IovaRequest ONE = IovaRequest.ofBytes(PAGE);
  private static final IovaRequest TWO = IovaRequest.ofBytes(2 * PAGE);

  private static IovaAllocator pages(long count) {
    return new IovaAllocator(Granule.K4, AddressRange.ofSize(2 * PAGE, count * PAGE));
  }

  private static int give(IovaAllocator allocator) {
    try {
      allocator.give(2 * PAGE);
      return 1;
    } catch (WrongFree _) {
      return 0;
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"8192, 12288, 2", "12288, 8192, 2"},
      expect = Expect.ACCEPTABLE,
      desc = "a page each")
  public static class TwoTakes {
    private final IovaAllocator allocator = pages(2);

    @Actor
    public void first(JJJ_Result r) {
      r.r1 = allocator.take(ONE);
    }

    @Actor
    public void second(JJJ_Result r) {
      r.r2 = allocator.take(ONE);
    }

    @Arbiter
    public void count(JJJ_Result r) {
      r.r3 = allocator.rangesInUse();
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"8192, -1, 1", "-1, 8192, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "the last goes to one")
  public static class LastPage {
    private final IovaAllocator allocator = pages(1);

    @Actor
    public void first(JJJ_Result r) {
      r.r1 = allocator.take(ONE);
    }

    @Actor
    public void second(JJJ_Result r) {
      r.r2 = allocator.take(ONE);
    }

    @Arbiter
    public void count(JJJ_Result r) {
      r.r3 = allocator.rangesInUse();
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"8192, -1, 2", "-1, 8192, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "both pages, or one of them")
  public static class PairAgainstOne {
    private final IovaAllocator allocator = pages(2);

    @Actor
    public void pair(JJJ_Result r) {
      r.r1 = allocator.take(TWO);
    }

    @Actor
    public void one(JJJ_Result r) {
      r.r2 = allocator.take(ONE);
    }

    @Arbiter
    public void count(JJJ_Result r) {
      r.r3 = allocator.bytesInUse() / PAGE;
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"1, 0, 0", "0, 1, 0"},
      expect = Expect.ACCEPTABLE,
      desc = "one of two frees is refused")
  public static class FreedTwice {
    private final IovaAllocator allocator = pages(1);

    public FreedTwice() {
      allocator.take(ONE);
    }

    @Actor
    public void first(IIJ_Result r) {
      r.r1 = give(allocator);
    }

    @Actor
    public void second(IIJ_Result r) {
      r.r2 = give(allocator);
    }

    @Arbiter
    public void count(IIJ_Result r) {
      r.r3 = allocator.rangesInUse();
    }
  }

  @JCStressTest
  @State
  @Outcome(id = "1, 8192, 1", expect = Expect.ACCEPTABLE, desc = "taken after it was freed")
  @Outcome(id = "1, -1, 0", expect = Expect.ACCEPTABLE, desc = "refused before it was freed")
  public static class FreedAndTaken {
    private final IovaAllocator allocator = pages(1);

    public FreedAndTaken() {
      allocator.take(ONE);
    }

    @Actor
    public void free(JJJ_Result r) {
      r.r1 = give(allocator);
    }

    @Actor
    public void take(JJJ_Result r) {
      r.r2 = allocator.take(ONE);
    }

    @Arbiter
    public void count(JJJ_Result r) {
      r.r3 = allocator.rangesInUse();
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"8192, 0, 1", "-1, 1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "the page has one owner")
  public static class TakenAndReserved {
    private final IovaAllocator allocator = pages(1);

    @Actor
    public void take(JJJ_Result r) {
      r.r1 = allocator.take(ONE);
    }

    @Actor
    public void reserve(JJJ_Result r) {
      try {
        allocator.reserve(AddressRange.ofSize(2 * PAGE, PAGE));
        r.r2 = 1;
      } catch (IovaTaken _) {
        r.r2 = 0;
      }
    }

    @Arbiter
    public void count(JJJ_Result r) {
      r.r3 = allocator.rangesInUse() + allocator.reserved().size();
    }
  }

  /// One page is free, and another becomes so, in a leaf that the thread which gives it back keeps to itself.
  @JCStressTest
  @State
  @Outcome(id = "1, 1, 1", expect = Expect.ACCEPTABLE, desc = "both are granted")
  public static class KeptAside {
    private final IovaAllocator allocator = pages(64);

    public KeptAside() {
      for (int i = 0; i < 63; i++) {
        allocator.take(ONE);
      }
    }

    @Actor
    public void give(JJJ_Result r) {
      r.r1 = IovaAllocatorStress.give(allocator);
    }

    @Actor
    public void take(JJJ_Result r) {
      r.r2 = allocator.take(ONE) == IovaAllocator.NONE ? 0 : 1;
    }

    @Arbiter
    public void rest(JJJ_Result r) {
      r.r3 = allocator.take(ONE) == IovaAllocator.NONE ? 0 : 1;
      if (allocator.take(ONE) != IovaAllocator.NONE) {
        r.r3 = 2;
      }
    }
  }
}
