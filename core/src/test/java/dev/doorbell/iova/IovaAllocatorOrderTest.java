package dev.doorbell.iova;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.testkit.Interleavings;
import dev.doorbell.testkit.Interleavings.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

  /// {@return whether an operation was seen waiting for one that lists all ranges}
  private static boolean waits(IovaAllocator allocator, Runnable operation)
      throws InterruptedException {
    Thread lister = Thread.ofPlatform().daemon().start(allocator::allocated);
    Thread other = Thread.ofPlatform().daemon().start(operation);
    boolean waited = false;
    while (other.isAlive()) {
      waited |= other.getState() == Thread.State.BLOCKED;
      Thread.onSpinWait();
    }
    lister.join();
    return waited;
  }

  @Test
  @DisplayName("each operation keeps the others out")
  void others() throws InterruptedException {
    IovaAllocator allocator = new IovaAllocator(Granule.K4, AddressRange.ofSize(0, PAGE << 20));
    List<Long> taken = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      taken.add(allocator.take(IovaRequest.ofBytes(PAGE)));
    }
    AddressRange far = AddressRange.ofSize(PAGE << 19, PAGE);
    Map<String, Runnable> operations =
        Map.of(
            "take", () -> taken.add(allocator.take(IovaRequest.ofBytes(PAGE))),
            "give", () -> allocator.give(taken.removeLast()),
            "free", () -> allocator.free(AddressRange.ofSize(taken.removeLast(), PAGE)),
            "take at and free",
                () -> {
                  allocator.allocateAt(far);
                  allocator.free(far);
                },
            "reserve", () -> allocator.reserve(AddressRange.ofSize(PAGE << 18, PAGE)),
            "look", () -> allocator.rangeAt(new Iova(0)),
            "count", allocator::rangesInUse);
    for (var operation : operations.entrySet()) {
      int rounds = 0;
      while (!waits(allocator, operation.getValue())) {
        assertTrue(++rounds < 200, operation.getKey() + " never waits for who lists all ranges");
      }
    }
  }
}
