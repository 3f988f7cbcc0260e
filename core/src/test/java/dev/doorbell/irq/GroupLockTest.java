package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.VectorsLive;
import dev.doorbell.irq.IrqBench.Function;
import dev.doorbell.simple.SimpleFunction.Shape;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName("R28: the group's lock is held while vectors are prepared, retargeted or moved")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GroupLockTest {
  private final IrqBench bench = new IrqBench(false);
  private final Domain a = bench.domain("a");
  private final Domain b = bench.domain("b", AddressRange.ofSize(0xa000_0000L, 0x4000));
  private final Function f = bench.function(1, Shape.msix(4), bench.its1);

  GroupLockTest() {
    a.attach(f.group());
  }

  /// Runs one change, and another one by a second thread that begins in the middle of the first: at its first hardware write.
  ///
  /// {@return what the second one threw, or null}
  private Throwable during(Runnable change, Runnable other) {
    AtomicReference<CompletableFuture<Void>> second = new AtomicReference<>();
    bench.hw.onNextWrite(() -> {
      Thread first = Thread.currentThread();
      assertTrue(f.group().lock().isHeldByCurrentThread(), "the lock is held: " + first);
      CompletableFuture<Void> done = CompletableFuture.runAsync(other, r -> new Thread(r).start());
      second.set(done);
      while (!f.group().lock().hasQueuedThreads() && !done.isDone()) {
        Thread.onSpinWait();
      }
      assertFalse(done.isDone(), "the second change waits for the first");
    });
    change.run();
    CompletableFuture<Void> done = second.get();
    try {
      done.join();
      return null;
    } catch (CompletionException e) {
      return e.getCause();
    }
  }

  private void everyVectorArrives(int count) {
    assertEquals(count, f.msi().vectors().size());
    for (LiveVector v : f.msi().vectors()) {
      bench.arrived();
      assertTrue(f.fire(v.index()), v::toString);
      assertEquals(java.util.List.of(v.intid() + "@" + v.cpu()), bench.arrived());
    }
  }

  @Test
  @DisplayName(
      "a domain is not switched while vectors are prepared: they move with their function afterwards")
  void r28_theDomainStaysWhileVectorsArePrepared() {
    assertNull(during(() -> f.msi().enable(3, 3), () -> b.attach(f.group())));
    assertEquals(b, f.group().domain().orElseThrow());
    for (LiveVector v : f.msi().vectors()) {
      assertTrue(b.msiWindow().orElseThrow().range().contains(v.message().address()), v::toString);
    }
    everyVectorArrives(3);
    assertEquals(0, a.msiWindow().orElseThrow().used());
  }

  @Test
  @DisplayName("nor is the group detached, and its domain freed: afterwards its vectors are live")
  void r28_theDomainIsNotFreedWhileVectorsArePrepared() {
    Throwable refused =
        during(
            () -> f.msi().enable(2, 2),
            () -> {
              a.detach(f.group());
              a.close();
            });
    assertInstanceOf(VectorsLive.class, refused);
    assertEquals(a, f.group().domain().orElseThrow());
    everyVectorArrives(2);
  }

  @Test
  @DisplayName("vectors that are enabled in the middle of a switch are those of the new domain")
  void r28_vectorsArePreparedInOneDomain() {
    assertNull(during(() -> b.attach(f.group()), () -> f.msi().enable(2, 2)));
    assertEquals(0, a.msiWindow().orElseThrow().used());
    assertEquals(1, b.msiWindow().orElseThrow().used());
    everyVectorArrives(2);
  }

  @Test
  @DisplayName(
      "a vector is retargeted before or after a switch: it arrives at its new CPU, by its new address")
  void r28_theTargetCpuDoesNotChangeInTheMiddleOfASwitch() {
    f.msi().enable(2, 2);
    int before = f.msi().vectors().get(1).cpu();
    int next = (before + 2) % IrqBench.CPUS;
    assertNull(during(() -> b.attach(f.group()), () -> f.msi().retarget(1, next)));
    assertEquals(next, f.msi().vectors().get(1).cpu());
    everyVectorArrives(2);
  }

  @Test
  @DisplayName("a domain is not switched in the middle of a retarget")
  void r28_theDomainStaysWhileAVectorIsRetargeted() {
    f.msi().enable(2, 2);
    MsiMessage before = f.msi().compose(0);
    int next = (f.msi().vectors().getFirst().cpu() + 1) % IrqBench.CPUS;
    assertNull(during(() -> f.msi().retarget(0, next), () -> b.attach(f.group())));
    assertNotEquals(before.address(), f.msi().compose(0).address());
    assertEquals(next, f.msi().vectors().getFirst().cpu());
    everyVectorArrives(2);
  }

  @Test
  @DisplayName("vectors that are being released are gone before the group is moved")
  void r28_theDomainStaysWhileVectorsAreReleased() {
    f.msi().enable(2, 2);
    assertNull(during(() -> f.msi().release(), () -> b.attach(f.group())));
    assertFalse(f.msi().isEnabled());
    assertEquals(0, a.msiWindow().orElseThrow().used() + b.msiWindow().orElseThrow().used());
  }

  @Test
  @DisplayName("nothing else about a function's vectors changes in the middle of a switch, either")
  void r28_vectorsStayInTheMiddleOfASwitch() {
    f.msi().enable(2, 2);
    assertNull(during(() -> b.attach(f.group()), () -> f.msi().mask(1, true)));
    assertTrue(f.msi().vectors().get(1).masked());
    assertTrue(f.device().isMasked(1));
    assertNull(during(() -> a.attach(f.group()), () -> f.msi().mask(1, false)));
    everyVectorArrives(2);
    assertNull(
        during(
            () -> b.attach(f.group()), () -> f.msi().addVector(3, 1, false, VectorListener.NONE)));
    everyVectorArrives(3);
    assertNull(during(() -> a.attach(f.group()), () -> f.msi().removeVector(1)));
    everyVectorArrives(2);
    assertNull(during(() -> b.attach(f.group()), () -> f.msi().reapply()));
    everyVectorArrives(2);
    assertNull(during(() -> a.attach(f.group()), () -> f.msi().release()));
    assertEquals(0, a.msiWindow().orElseThrow().used() + b.msiWindow().orElseThrow().used());
  }
}
