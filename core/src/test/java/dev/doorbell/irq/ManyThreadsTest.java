package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.IrqBench.Function;
import dev.doorbell.simple.SimpleFunction.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName(
    "R28: map, unmap, enable, release, retarget and attach from many threads lose and misdeliver nothing")
class ManyThreadsTest {
  private static final int ROUNDS = 150;
  private final Queue<Integer> sent = new ConcurrentLinkedQueue<>();

  /// One thread owns the vectors of one function; others move its group and map memory beside it.
  private Callable<Void> owner(Function f, long seed) {
    return () -> {
      SplittableRandom random = new SplittableRandom(seed);
      for (int i = 0; i < ROUNDS; i++) {
        int n;
        try {
          n = f.msi().enable(1, 3);
        } catch (VectorsExhausted | MsiWindowExhausted e) {
          continue;
        }
        for (int k = 0; k < 4; k++) {
          int v = random.nextInt(n);
          f.msi().retarget(v, random.nextInt(IrqBench.CPUS));
          int intid = f.msi().vectors().get(v).intid();
          boolean raisedNow = f.fire(v);
          // Held back for the length of a domain switch, it fires at its end.
          if (raisedNow || f.device().isEnabled()) {
            sent.add(intid);
          }
          if (!raisedNow) {
            settle(f);
          }
          f.msi().compose(v);
        }
        f.msi().release();
      }
      return null;
    };
  }

  /// Waits for a switch that is under way: the group's lock is free after it.
  private static void settle(Function f) {
    f.group().lock().lock();
    f.group().lock().unlock();
  }

  private Callable<Void> mover(Function f, Domain a, Domain b) {
    return () -> {
      for (int i = 0; i < ROUNDS; i++) {
        (i % 2 == 0 ? b : a).attach(f.group());
      }
      return null;
    };
  }

  private Callable<Void> mapper(Domain d, long at) {
    return () -> {
      for (int i = 0; i < ROUNDS; i++) {
        d.map(new Iova(at), new Pa(0x4000_0000L + at), 0x3000, Protection.READ_WRITE);
        assertEquals(0x3000, d.unmap(AddressRange.ofSize(at, 0x3000)));
      }
      return null;
    };
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false, true, false})
  void everyInterruptArrivesOnceAndNothingIsLeft(boolean hitless)
      throws InterruptedException, ExecutionException {
    IrqBench bench = new IrqBench(hitless);
    Domain a = bench.domain("a");
    Domain b = bench.domain("b");
    List<Function> functions = new ArrayList<>();
    List<Callable<Void>> work = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      Function f = bench.function(i, Shape.msix(3), bench.its1);
      a.attach(f.group());
      functions.add(f);
      work.add(owner(f, i));
      work.add(mover(f, a, b));
      work.add(mapper(i % 2 == 0 ? a : b, i * 0x10_0000L));
    }
    Object empty = bench.its1.state();
    try (ExecutorService threads = Executors.newFixedThreadPool(work.size())) {
      for (Future<Void> done : threads.invokeAll(work)) {
        done.get();
      }
    }
    assertEquals(
        sent.stream().sorted().toList(),
        bench.arrived().stream()
            .map(arrival -> Integer.valueOf(arrival.substring(0, arrival.indexOf('@'))))
            .sorted()
            .toList(),
        "the INTIDs of what was sent, as often");
    assertEquals(empty, bench.its1.state());
    assertEquals(64, bench.its1.vectorsFree());
    assertEquals(0, a.msiWindow().orElseThrow().used() + b.msiWindow().orElseThrow().used());
    assertEquals(List.of(), a.mappings());
    assertEquals(List.of(), b.mappings());
    for (Function f : functions) {
      assertFalse(f.msi().isEnabled());
      assertTrue(f.group().domain().isPresent());
      f.group().domain().orElseThrow().detach(f.group());
    }
    a.close();
    b.close();
    assertEquals(0, bench.iommu.openSpaces());
  }
}
