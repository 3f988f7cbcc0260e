package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.testkit.Interleavings;
import dev.doorbell.testkit.Interleavings.Operation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IovaAllocator: what two threads see, one thread would see in some order")
class IovaAllocatorOrderTest {
  private static final int DRAWS = 10;
  private static final int GRANULES = 4;
  private static final long PAGE = 4096;

  private static AddressRange pages(long first, long count) {
    return AddressRange.ofSize(PAGE * (1 + first), PAGE * count);
  }

  private static IovaAllocator fresh() {
    return new IovaAllocator(Granule.K4, pages(0, GRANULES));
  }

  private static Operation<IovaAllocator> take(long count) {
    IovaRequest request = IovaRequest.ofBytes(PAGE * count);
    return new Operation<>("take " + count, a -> a.take(request));
  }

  @Test
  @DisplayName("take, take at, give back and count")
  void allocator() {
    List<Operation<IovaAllocator>> operations = new ArrayList<>(List.of(take(1), take(2)));
    for (long i = 0; i < GRANULES; i++) {
      AddressRange page = pages(i, 1);
      operations.add(new Operation<>("give " + i, a -> a.give(page.start())));
    }
    operations.add(
        new Operation<>(
            "take at 1",
            a -> {
              a.allocateAt(pages(1, 1));
              return "taken";
            }));
    operations.add(new Operation<>("count", IovaAllocator::bytesInUse));
    Interleavings.check(
        "IovaAllocator",
        DRAWS,
        IovaAllocatorOrderTest::fresh,
        operations,
        a -> a.bytesInUse() + " " + a.rangesInUse());
  }
}
