package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.testkit.Interleavings;
import dev.doorbell.testkit.Interleavings.Operation;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
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
}
