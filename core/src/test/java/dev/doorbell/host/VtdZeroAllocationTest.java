package dev.doorbell.host;

import static dev.doorbell.host.VtdBench.US;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.hw.vtd.VtdTranslation;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.PostedDescriptor;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.VectorBlock;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("VT-d: what was reached before, and interrupts remapped or posted, allocate nothing")
class VtdZeroAllocationTest {
  private static final List<Long> IDS = List.of(0L, 2L);
  private static final int TIMES = 4000;

  /// The least of several runs: the first ones run in the interpreter and load classes.
  private static long bytes(IntPredicate work) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 6; run++) {
      int done = 0;
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < TIMES; i++) {
        done += work.test(i) ? 1 : 0;
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      assertEquals(TIMES, done);
    }
    return least;
  }

  @ParameterizedTest
  @EnumSource(VtdTranslation.class)
  @DisplayName("translate, in legacy mode and by both stages of scalable mode")
  void translate(VtdTranslation translation) {
    VtdBench bench = new VtdBench(IDS, UnaryOperator.identity(), translation);
    AddressSpace space = bench.driver.createAddressSpace(Granule.K4);
    space.map(new Iova(0x1000), new Pa(0x10_1000), 0x3f_f000, Protection.READ_WRITE);
    bench.driver.attach(US, space);
    assertEquals(0, bytes(i -> bench.write(US, 0x1000 + 0x1000L * (i % 256)) > 0));
    assertEquals(0, bytes(i -> bench.read(US, 0x1000 + 0x1000L * (i % 256)) > 0));
  }

  @Test
  @DisplayName("messages, remapped and posted, notified and not")
  void messages() {
    VtdBench bench = new VtdBench(IDS);
    VectorBlock block = bench.controller.allocate(new MsiSource("a", US), 3, false);
    PostedDescriptor guest = bench.controller.posting().orElseThrow().create();
    for (int i = 0; i < 3; i++) {
      block.activate(i, 0);
    }
    guest.send(0xf2, IDS.get(1));
    guest.resume();
    block.post(1, new PostedInterrupt(guest.address(), 0x40, false));
    block.post(2, new PostedInterrupt(guest.address(), 0x80, true));
    long[] seen = new long[PostedDescriptor.WORDS];
    assertEquals(
        0,
        bytes(i -> {
          if (i % 16 == 0) {
            guest.suppress();
          } else if (i % 8 == 0) {
            guest.take(seen);
          }
          int vector = i % 3;
          return bench.model.message(US, block.doorbell(vector), block.data(vector), 4)
              == BusOutcome.OK;
        }));
  }
}
