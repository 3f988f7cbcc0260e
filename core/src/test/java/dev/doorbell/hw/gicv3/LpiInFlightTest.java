package dev.doorbell.hw.gicv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// LPIs that arrive while others are taken, and while LPIs are switched off.
class LpiInFlightTest {
  private static final long CONFIG = 0x4100_0000L;
  private static final long PENDING = 0x4101_0000L;
  private static final int FIRST = 8192;
  private static final int ROUNDS = 3_000;
  private static final int LOOKS = 50_000_000;

  private final PlainMemory memory = new PlainMemory(0x4000_0000L, 0x1000_0000L);
  private final GicV3Model gic = start(memory);
  private final ModelRegisters gicr = new ModelRegisters(gic.redistributor(0));

  private GicV3Model start(PhysicalMemory seen) {
    GicV3Model gic = new GicV3Model(GicV3Config.of(List.of(0x0L), 0x080a_0000L), seen);
    ModelRegisters gicr = new ModelRegisters(gic.redistributor(0));
    new ModelRegisters(gic.distributor()).write32(0, 0x12);
    memory.fill(CONFIG, 0x1000, (byte) 0xa1);
    gicr.write32(0x0014, 0);
    gicr.write64(0x0070, CONFIG | 15);
    gicr.write64(0x0078, PENDING | 1L << 62);
    gicr.write32(0x0000, 1);
    return gic;
  }

  @Test
  @DisplayName(
      "IHI 0069 5.1.2: of LPIs whose bits share a quadword none is lost, however arrivals and acknowledgements meet")
  void noneIsLost() throws Exception {
    AtomicIntegerArray taken = new AtomicIntegerArray(2);
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Future<?>> arriving = new ArrayList<>();
      for (int lpi = 0; lpi < 2; lpi++) {
        int own = lpi;
        arriving.add(threads.submit(() -> arrive(own, taken)));
      }
      Future<?> cpu =
          threads.submit(() -> {
            while (!done.get()) {
              int intid = gic.acknowledge(0);
              if (intid != CpuInterface.NONE) {
                gic.endOfInterrupt(0, intid);
                taken.incrementAndGet(intid - FIRST);
              }
            }
          });
      try {
        for (Future<?> a : arriving) {
          a.get();
        }
      } finally {
        done.set(true);
        cpu.get();
      }
    }
    assertEquals(ROUNDS, taken.get(0));
    assertEquals(ROUNDS, taken.get(1));
    assertEquals(0, memory.read64(PENDING + FIRST / 8));
  }

  private void arrive(int own, AtomicIntegerArray taken) {
    for (int round = 1; round <= ROUNDS; round++) {
      gic.setPending(0, FIRST + own);
      for (int look = 0; taken.get(own) < round; look++) {
        assertTrue(look < LOOKS, "LPI " + (FIRST + own) + " is lost");
        Thread.onSpinWait();
      }
    }
  }

  @Test
  @DisplayName(
      "IHI 0069 12.11.2 EnableLPIs: once LPIs are off the pending table is the software's, whoever still rings")
  void nothingIsWrittenAfterLpisAreOff() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
      Future<?> ringing =
          threads.submit(() -> {
            while (!done.get()) {
              gic.setPending(0, FIRST + 5);
            }
          });
      try {
        for (int round = 0; round < ROUNDS || gic.lostLpis() == 0; round++) {
          gicr.write32(0x0000, 0);
          memory.write64(PENDING + FIRST / 8, 0);
          for (int look = 0; look < 20; look++) {
            assertEquals(0, memory.read64(PENDING + FIRST / 8));
          }
          gicr.write32(0x0000, 1);
        }
      } finally {
        done.set(true);
        ringing.get();
      }
    }
  }

  /// Memory in which something happens during an access of the pending table's quadword of the first LPIs.
  private PhysicalMemory watched(String method, Runnable before, Runnable after) {
    InvocationHandler handler =
        (proxy, called, arguments) -> {
          if (called.isDefault() && called.getName().equals("quadwords")) {
            return InvocationHandler.invokeDefault(proxy, called, arguments);
          }
          boolean met = called.getName().equals(method) && arguments[0].equals(PENDING + FIRST / 8);
          if (met) {
            before.run();
          }
          Object result = called.invoke(memory, arguments);
          if (met) {
            after.run();
          }
          return result;
        };
    return (PhysicalMemory)
        Proxy.newProxyInstance(
            PhysicalMemory.class.getClassLoader(), new Class<?>[] {PhysicalMemory.class}, handler);
  }

  @Test
  @DisplayName("12.11.2: the write that switches LPIs off waits for one that is just arriving")
  void switchingOffWaits() throws Exception {
    CountDownLatch arriving = new CountDownLatch(1);
    AtomicBoolean off = new AtomicBoolean();
    AtomicBoolean offWhileArriving = new AtomicBoolean();
    GicV3Model held =
        start(
            watched(
                "compareAndSet64",
                () -> {
                  arriving.countDown();
                  for (int look = 0; look < 20_000 && !off.get(); look++) {
                    Thread.yield();
                  }
                  offWhileArriving.set(off.get());
                },
                () -> {}));
    try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
      Future<?> lpi = threads.submit(() -> held.setPending(0, FIRST + 1));
      assertTrue(arriving.await(1, TimeUnit.MINUTES), "no LPI arrives");
      new ModelRegisters(held.redistributor(0)).write32(0x0000, 0);
      off.set(true);
      lpi.get();
    }
    assertFalse(offWhileArriving.get());
    assertEquals(2, memory.read64(PENDING + FIRST / 8));
  }

  @Test
  @DisplayName(
      "5.1.2: an LPI that arrives just when its quadword was found empty is found later, when it is enabled")
  void arrivesBehindTheSearch() {
    AtomicReference<GicV3Model> gicOnce = new AtomicReference<>();
    GicV3Model searched =
        start(
            watched(
                "read64",
                () -> {},
                () -> {
                  GicV3Model arrivesAt = gicOnce.getAndSet(null);
                  if (arrivesAt != null) {
                    arrivesAt.setPending(0, FIRST + 7);
                  }
                }));
    memory.write(CONFIG + 7, 0xa0, 1);
    searched.reload(0, FIRST + 7);
    searched.setPending(0, FIRST + 3);
    searched.clearPending(0, FIRST + 3);
    gicOnce.set(searched);
    assertEquals(CpuInterface.NONE, searched.acknowledge(0));
    assertNull(gicOnce.get());
    memory.write(CONFIG + 7, 0xa1, 1);
    searched.reload(0, FIRST + 7);
    assertEquals(FIRST + 7, searched.acknowledge(0));
  }
}
