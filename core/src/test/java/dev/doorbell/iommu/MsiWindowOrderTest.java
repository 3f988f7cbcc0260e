package dev.doorbell.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.AddressRange;
import dev.doorbell.testkit.Interleavings;
import dev.doorbell.testkit.Interleavings.Operation;
import java.util.AbstractList;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.RandomAccess;
import java.util.concurrent.locks.AbstractOwnableSynchronizer;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("MSI window: what two threads see, one thread would see in some order")
class MsiWindowOrderTest {
  private static final int DRAWS = 10;

  /// A window of two pages, three doorbells, and the leases that are held of each.
  private static final class Window {
    private final Bench bench = new Bench();
    private final IommuGroup group = bench.group(1);
    private final MsiDoorbells doorbells;
    private final List<Deque<DoorbellLease>> held =
        List.of(new ArrayDeque<>(), new ArrayDeque<>(), new ArrayDeque<>());
    private final List<DoorbellFrame> frames =
        List.of(Bench.ITS0, Bench.ITS1, Bench.its("its@0x80c0000", 0x80d_0000));

    Window() {
      doorbells = new MsiDoorbells(bench.user("vm"), new ReentrantLock());
      doorbells.setWindow(AddressRange.ofSize(0x800_0000, 0x2000));
    }

    Object claim(int frame) {
      List<DoorbellLease> leases = doorbells.claim(group, Bench.ringing(group, frames.get(frame)));
      synchronized (held) {
        held.get(frame).add(leases.getFirst());
      }
      return leases.getFirst().iova();
    }

    Object count() {
      return doorbells.window().orElseThrow().used();
    }
  }

  private static List<Operation<Window>> operations() {
    return List.of(
        new Operation<>("claim 0", w -> w.claim(0)),
        new Operation<>("claim 1", w -> w.claim(1)),
        new Operation<>("claim 2", w -> w.claim(2)));
  }

  @Test
  @DisplayName("doorbells claimed at once: each page has one place, and no two share one")
  void window() {
    Interleavings.check("MSI window", DRAWS, Window::new, operations(), Window::count);
  }

  /// Ringers of which a walk, which happens while places are counted, is told.
  private static final class Watched extends AbstractList<Ringer> implements RandomAccess {
    private final List<Ringer> ringers;
    private final Runnable walk;

    Watched(List<Ringer> ringers, Runnable walk) {
      this.ringers = ringers;
      this.walk = walk;
    }

    @Override
    public Ringer get(int index) {
      return ringers.get(index);
    }

    @Override
    public int size() {
      return ringers.size();
    }

    @Override
    public Iterator<Ringer> iterator() {
      walk.run();
      return ringers.iterator();
    }
  }

  /// {@return whether another thread that asks for the window now has to wait}
  private static boolean keepsOthersOut(Domain domain) {
    Thread other = Thread.ofPlatform().daemon().start(domain::msiWindow);
    while (true) {
      switch (other.getState()) {
        // A new thread may be held up by classes that load (BLOCKED), or wait for other things than
        // a lock.
        case WAITING -> {
          if (LockSupport.getBlocker(other) instanceof AbstractOwnableSynchronizer) {
            return true;
          }
          Thread.yield();
        }
        case TERMINATED -> {
          return false;
        }
        default -> Thread.yield();
      }
    }
  }

  @Test
  @DisplayName("others wait while a doorbell is claimed, mapped and given back")
  void others() {
    Bench bench = new Bench();
    Domain domain = bench.userWithWindow("vm");
    IommuGroup group = bench.group(1);
    List<Boolean> waited = new ArrayList<>();
    Runnable look = () -> waited.add(keepsOthersOut(domain));
    look.run();
    List<Ringer> ringers = new Watched(Bench.ringing(group, Bench.ITS0), look);
    DoorbellLease lease = domain.doorbells().claim(group, ringers).getFirst();
    bench.hw.onNextWrite(look);
    lease.map();
    bench.hw.onNextWrite(look);
    lease.release();
    assertEquals(List.of(false, true, true, true), waited);
  }

  @Test
  @DisplayName("R6: a lease that is given back twice takes nothing from another one")
  void givenBackTwice() {
    Bench bench = new Bench();
    Domain domain = bench.userWithWindow("vm");
    IommuGroup group = bench.group(1);
    IommuGroup other = bench.group(2);
    domain.attach(group);
    domain.attach(other);
    DoorbellLease lease = Bench.lease(group, Bench.ITS0).getFirst();
    Bench.lease(other, Bench.ITS0);
    lease.release();
    assertThrows(IllegalStateException.class, lease::release);
    assertEquals(Optional.of(0x809_0040L), bench.smmu0.write(2, 0x800_0040));
    assertEquals(1, domain.msiWindow().orElseThrow().used());
  }
}
