package dev.doorbell.iova;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.testkit.SeededRandom;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IovaAllocator: allocates nothing on the Java heap in steady state")
class IovaAllocatorZeroAllocationTest {
  private static final int LIVE = 20_000;
  private static final int WARM_UP = 30;
  private static final int ROUNDS = 50;
  private static final long SMALLEST_OBJECT = 16;
  private static final IovaRequest TOO_LARGE = IovaRequest.ofBytes(1L << 60);
  private static final IovaRequest[] REQUESTS = {
    IovaRequest.ofBytes(0x1000),
    IovaRequest.ofBytes(0x1000).naturallyAligned().prefer32Bit(),
    IovaRequest.ofBytes(0x5000),
    IovaRequest.ofBytes(0x20_0000).naturallyAligned(),
    IovaRequest.ofBytes(0x4000).upTo(0xffff_ffffL)
  };

  @Test
  @DisplayName("filling, churning and emptying again, refusals included")
  void nothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    IovaAllocator allocator =
        new IovaAllocator(Granule.K4, new AddressRange(0x1000, 0xffff_ffff_ffffL));
    allocator.reserve(new AddressRange(0x800_0000, 0x80f_ffff));
    allocator.reserve(new AddressRange(0xfee0_0000L, 0xfeef_ffffL));
    long[] live = new long[LIVE];
    int[] kinds = kinds();
    for (int i = 0; i < WARM_UP; i++) {
      round(allocator, live, kinds);
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < ROUNDS; i++) {
      round(allocator, live, kinds);
    }
    long bytes = threads.getCurrentThreadAllocatedBytes() - before;
    // What the compiler or the coverage agent touch once is less than one object a round.
    assertTrue(bytes < ROUNDS * SMALLEST_OBJECT, () -> bytes + " bytes in all rounds together");
    assertEquals(0, allocator.rangesInUse());
  }

  private static int[] kinds() {
    SeededRandom random = SeededRandom.of(7);
    int[] kinds = new int[LIVE * 2];
    for (int i = 0; i < kinds.length; i++) {
      kinds[i] = random.below(REQUESTS.length);
    }
    return kinds;
  }

  private static void round(IovaAllocator allocator, long[] live, int[] kinds) {
    for (int i = 0; i < LIVE; i++) {
      live[i] = allocator.take(REQUESTS[kinds[i]]);
    }
    for (int i = 0; i < LIVE; i++) {
      int at = (int) (i * 7919L % LIVE);
      allocator.give(live[at]);
      live[at] = allocator.take(REQUESTS[kinds[LIVE + i]]);
    }
    for (int i = 0; i < LIVE; i++) {
      if (allocator.take(TOO_LARGE) != IovaAllocator.NONE) {
        throw new AssertionError("2^60 bytes in a 48-bit space");
      }
      allocator.give(live[i]);
    }
  }
}
