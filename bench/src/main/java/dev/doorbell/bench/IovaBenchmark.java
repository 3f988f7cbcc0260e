package dev.doorbell.bench;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.iova.IovaAllocator;
import dev.doorbell.iova.IovaRequest;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/// Allocating and freeing IOVAs in a 48-bit space, and in a 32-bit one that is nearly full.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class IovaBenchmark {
  private static final int MILLION = 0x10_0000;
  private static final int MIXED = 100_000;
  private static final IovaRequest PAGE = IovaRequest.ofBytes(0x1000);
  private static final IovaRequest FOUR_PAGES = IovaRequest.ofBytes(0x4000).naturallyAligned();
  private static final IovaRequest TWO_PAGES = IovaRequest.ofBytes(0x2000);

  private static IovaAllocator allocator(int bits) {
    return new IovaAllocator(Granule.K4, new AddressRange(0, (1L << bits) - 1));
  }

  private static long taken(long start) {
    if (start == IovaAllocator.NONE) {
      throw new IllegalStateException("the allocator refused where there is room");
    }
    return start;
  }

  /// An empty space that is filled with a million pages, and emptied outside the measured time.
  @State(Scope.Benchmark)
  public static class Empty {
    private final IovaAllocator allocator = allocator(48);
    private final long[] starts = new long[MILLION];

    @TearDown(Level.Invocation)
    public void empty() {
      for (long start : starts) {
        allocator.give(start);
      }
    }
  }

  /// {@return the last one; an operation is one page of the million}
  @Benchmark
  @OperationsPerInvocation(MILLION)
  public long fill(Empty e) {
    for (int i = 0; i < MILLION; i++) {
      e.starts[i] = taken(e.allocator.take(PAGE));
    }
    return e.starts[MILLION - 1];
  }

  /// {@return the last page of a space that was made for this fill: what is allocated for an operation is what a live page takes}
  @Benchmark
  @OperationsPerInvocation(MILLION)
  public long fillNew() {
    IovaAllocator allocator = allocator(48);
    long last = 0;
    for (int i = 0; i < MILLION; i++) {
      last = taken(allocator.take(PAGE));
    }
    return last;
  }

  /// {@return the last range, of 16 KiB, of a space that was made for this fill: what is allocated for an operation is what a live range takes}
  @Benchmark
  @OperationsPerInvocation(MILLION)
  public long fillNewRanges() {
    IovaAllocator allocator = allocator(48);
    long last = 0;
    for (int i = 0; i < MILLION; i++) {
      last = taken(allocator.take(FOUR_PAGES));
    }
    return last;
  }

  /// A space with live pages.
  @State(Scope.Benchmark)
  public static class Live {
    /// Live pages of each thread.
    @Param({"1000", "1048576"})
    public int live = MILLION;

    private final IovaAllocator allocator = allocator(48);
  }

  /// A thread's own live pages.
  @State(Scope.Thread)
  public static class Pages {
    private final SplittableRandom random = new SplittableRandom(5);
    private long[] starts = {};

    @Setup
    public void fill(Live l) {
      starts = new long[l.live];
      for (int i = 0; i < l.live; i++) {
        starts[i] = taken(l.allocator.take(PAGE));
      }
    }

    private long churn(IovaAllocator allocator) {
      int i = random.nextInt(starts.length);
      allocator.give(starts[i]);
      starts[i] = taken(allocator.take(PAGE));
      return starts[i];
    }
  }

  /// {@return a new page, after one at random was freed}
  @Benchmark
  public long churn(Live l, Pages p) {
    return p.churn(l.allocator);
  }

  /// {@return the same, from two threads on one allocator; the time is each thread's}
  @Benchmark
  @Threads(2)
  public long churnTwoThreads(Live l, Pages p) {
    return p.churn(l.allocator);
  }

  /// Live ranges of 4 KiB to 2 MiB, each aligned to its size.
  @State(Scope.Thread)
  public static class Mixed {
    private static final int SIZES = 10;
    private final IovaRequest[] requests = new IovaRequest[SIZES];
    private final IovaAllocator allocator = allocator(48);
    private final long[] starts = new long[MIXED];
    private final SplittableRandom random = new SplittableRandom(7);

    @Setup
    public void fill() {
      for (int i = 0; i < SIZES; i++) {
        requests[i] = IovaRequest.ofBytes(0x1000L << i).naturallyAligned();
      }
      for (int i = 0; i < MIXED; i++) {
        starts[i] = taken(allocator.take(requests[random.nextInt(SIZES)]));
      }
    }
  }

  /// {@return a new range of random size, after one at random was freed}
  @Benchmark
  public long mixedSizes(Mixed m) {
    int i = m.random.nextInt(MIXED);
    m.allocator.give(m.starts[i]);
    m.starts[i] = taken(m.allocator.take(m.requests[m.random.nextInt(Mixed.SIZES)]));
    return m.starts[i];
  }

  /// A 32-bit space of single pages in which every 64th is free: room for one page, never for two.
  @State(Scope.Thread)
  public static class NearlyFull {
    private static final int APART = 64;
    private final IovaAllocator allocator = allocator(32);

    @Setup
    public void fill() {
      for (int i = 0; i < MILLION; i++) {
        taken(allocator.take(PAGE));
      }
      for (int i = 0; i < MILLION; i += APART) {
        allocator.give((long) i << Granule.K4.shift());
      }
    }
  }

  /// {@return the lowest hole, taken and given back}
  @Benchmark
  public long nearlyFullGrant(NearlyFull n) {
    long start = taken(n.allocator.take(PAGE));
    n.allocator.give(start);
    return start;
  }

  /// {@return the refusal of two pages}
  @Benchmark
  public long nearlyFullRefusal(NearlyFull n) {
    long start = n.allocator.take(TWO_PAGES);
    if (start != IovaAllocator.NONE) {
      throw new IllegalStateException("two pages were granted where there is no room");
    }
    return start;
  }
}
