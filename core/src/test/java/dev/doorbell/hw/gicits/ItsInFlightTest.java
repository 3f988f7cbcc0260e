package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.simple.PlainMemory;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Changes with messages in flight.
class ItsInFlightTest {
  private static final int DEVICES = 3;
  private static final int MESSAGES = 400;
  private static final int LOOKS = 2_000_000;
  private static final int ROUNDS = 200;

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "IHI 0069 5.3.14: while vectors move between CPUs no message is lost and none arrives twice")
  void retargetLosesNothing(boolean cpuInterface) throws Exception {
    losesNothing(cpuInterface, (m, blocks, i) -> blocks[i % DEVICES].retarget(0, i % 3));
  }

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName("IHI 0069 5.3.13: nor while all vectors of one CPU after the other are given away")
  void evacuateLosesNothing(boolean cpuInterface) throws Exception {
    losesNothing(
        cpuInterface, (m, blocks, i) -> ItsDriver.evacuate(List.of(m.its), i % 3, (i + 1) % 3));
  }

  @FunctionalInterface
  private interface Mover {
    void move(DrivenIts m, VectorBlock[] blocks, int turn);
  }

  private static void losesNothing(boolean cpuInterface, Mover how) throws Exception {
    DrivenIts m = new DrivenIts(3, cpuInterface);
    VectorBlock[] blocks = new VectorBlock[DEVICES];
    for (int d = 0; d < DEVICES; d++) {
      blocks[d] = m.allocate(d, 1);
      blocks[d].activate(0, 0);
    }
    AtomicIntegerArray counts = new AtomicIntegerArray(DEVICES);
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> mover =
          threads.submit(() -> {
            for (int i = 0; !done.get(); i++) {
              how.move(m, blocks, i);
            }
          });
      try {
        for (int i = 1; i <= MESSAGES; i++) {
          for (int d = 0; d < DEVICES; d++) {
            m.fire(blocks[d], 0, d);
          }
          await(m, blocks, counts, i);
        }
      } finally {
        done.set(true);
        mover.get();
      }
    }
    m.its.collect((intid, cpu) -> counts.incrementAndGet(index(blocks, intid)));
    for (int d = 0; d < DEVICES; d++) {
      assertEquals(MESSAGES, counts.get(d));
    }
  }

  private static void await(
      DrivenIts m, VectorBlock[] blocks, AtomicIntegerArray counts, int expected) {
    for (int look = 0; look < LOOKS; look++) {
      m.its.collect((intid, cpu) -> counts.incrementAndGet(index(blocks, intid)));
      boolean all = true;
      for (int d = 0; d < DEVICES; d++) {
        all &= counts.get(d) >= expected;
      }
      if (all) {
        return;
      }
    }
    throw new AssertionError("message " + expected + " is lost: " + counts);
  }

  private static int index(VectorBlock[] blocks, int intid) {
    for (int d = 0; d < blocks.length; d++) {
      if (blocks[d].intid(0) == intid) {
        return d;
      }
    }
    throw new AssertionError("LPI " + intid + " belongs to nobody");
  }

  @Test
  @DisplayName(
      "design 4: once free returns, nothing of the block is delivered any more, whatever its device still sends")
  void nothingAfterFree() throws Exception {
    DrivenIts m = new DrivenIts(1, true);
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> device =
          threads.submit(() -> {
            while (!done.get()) {
              m.fire(0x0809_0040L, 0, 7);
              Thread.yield();
            }
          });
      try {
        // On a busy machine the device's thread may start late.
        for (int i = 0; i < ROUNDS || m.itsModel.dropped() == 0 && i < LOOKS; i++) {
          VectorBlock v = m.allocate(7, 1);
          v.activate(0, 0);
          m.its.collect((intid, cpu) -> assertEquals(v.intid(0), intid));
          v.free();
          assertEquals(0, m.its.collect((intid, cpu) -> {}));
        }
      } finally {
        done.set(true);
        device.get();
      }
    }
    assertTrue(m.itsModel.dropped() > 0);
    assertEquals(0, m.itsModel.commandErrors(), m.itsModel::lastCommandError);
  }

  @Test
  @DisplayName(
      "IHI 0069 5.3.7: a mapping that is replaced is used whole, and not at all once the command has taken effect")
  void mappingsAreUsedWhole() throws Exception {
    RawIts raw = new RawIts(2, ItsConfig.QEMU);
    raw.enableLpis().enableIts(true);
    raw.memory.write64(RawIts.DEVICES, 1L << 63 | RawIts.LEVEL2);
    raw.mapc(0, 0);
    raw.mapc(1, 1);
    raw.mapd(7, 2, RawIts.ITT);
    raw.mapti(7, 0, 8192, 0);
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
      Future<?> device =
          threads.submit(() -> {
            while (!done.get()) {
              raw.fire(7, 0);
            }
          });
      try {
        for (int i = 1; i <= ROUNDS * 10; i++) {
          int now = i & 1;
          int before = 1 - now;
          raw.mapti(7, 0, 8192 + now, now);
          raw.gic.clearPending(before, 8192 + before);
          for (int look = 0; !raw.isPending(now, 8192 + now); look++) {
            assertTrue(look < LOOKS, "the new mapping is not used");
            Thread.onSpinWait();
          }
          int round = i;
          assertFalse(
              raw.isPending(before, 8192 + before), () -> "used after it was gone, round " + round);
          assertFalse(raw.isPending(0, 8193) || raw.isPending(1, 8192), "half of each mapping");
        }
      } finally {
        done.set(true);
        device.get();
      }
    }
    assertEquals(0, raw.its.commandErrors(), raw.its::lastCommandError);
  }

  @Test
  @DisplayName(
      "IHI 0069 5.3.14: once MOVI has taken effect no message that was under way becomes pending at the old target")
  void nothingStaysBehind() throws Exception {
    RawIts raw = new RawIts(2, ItsConfig.QEMU).enableLpis().enableIts(false);
    raw.mapc(0, 0);
    raw.mapc(1, 1);
    raw.mapd(7, 2, RawIts.ITT);
    raw.mapti(7, 0, 8192, 0);
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
      Future<?> device =
          threads.submit(() -> {
            while (!done.get()) {
              raw.fire(7, 0);
            }
          });
      try {
        for (int i = 1; i <= ROUNDS * 10; i++) {
          int now = i & 1;
          raw.command(0x01 | 7L << 32, 0, now);
          for (int look = 0; !raw.isPending(now, 8192); look++) {
            assertTrue(look < LOOKS, "the new target is not used");
            Thread.onSpinWait();
          }
          int round = i;
          assertFalse(raw.isPending(1 - now, 8192), () -> "left at the old target, round " + round);
        }
      } finally {
        done.set(true);
        device.get();
      }
    }
    assertEquals(0, raw.its.commandErrors(), raw.its::lastCommandError);
  }

  /// Memory in which the first LPI becomes pending at CPU 0 no sooner than a command has returned, or was given much time to.
  private static PhysicalMemory holding(
      CountDownLatch arriving, AtomicBoolean returned, AtomicBoolean overtaken) {
    PlainMemory memory = new PlainMemory(RawIts.RAM, 0x1000_0000L);
    long word = RawIts.pendingTable(0) + 8192 / 8;
    return (PhysicalMemory)
        Proxy.newProxyInstance(
            PhysicalMemory.class.getClassLoader(),
            new Class<?>[] {PhysicalMemory.class},
            (proxy, called, arguments) -> {
              if (called.isDefault() && called.getName().equals("quadwords")) {
                return InvocationHandler.invokeDefault(proxy, called, arguments);
              }
              boolean first = arriving.getCount() != 0;
              if (first
                  && called.getName().equals("compareAndSet64")
                  && arguments[0].equals(word)) {
                arriving.countDown();
                for (int look = 0; look < 20_000 && !returned.get(); look++) {
                  Thread.yield();
                }
                overtaken.set(returned.get());
              }
              return called.invoke(memory, arguments);
            });
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "MOVI,    0x01, 0, 1",
    "MAPTI,   0x0a, 0x200100000000, 1",
    "DISCARD, 0x0f, 0, 0",
    "MAPD,    0x08, 2, 0",
    "MAPC,    0x09, 0, 0"
  })
  @DisplayName(
      "IHI 0069 5.3: a command that changes a table has not taken effect before a message by the old one has arrived")
  void commandsWait(String name, int code, String word1, int word2) throws Exception {
    CountDownLatch arriving = new CountDownLatch(1);
    AtomicBoolean returned = new AtomicBoolean();
    AtomicBoolean overtaken = new AtomicBoolean();
    RawIts raw = new RawIts(2, ItsConfig.QEMU, holding(arriving, returned, overtaken));
    raw.enableLpis().enableIts(false);
    raw.mapc(0, 0);
    raw.mapc(1, 1);
    raw.mapd(7, 2, RawIts.ITT);
    raw.mapti(7, 0, 8192, 0);
    try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
      Future<?> message = threads.submit(() -> raw.fire(7, 0));
      assertTrue(arriving.await(1, TimeUnit.MINUTES), "no message arrives");
      raw.command(code | 7L << 32, Long.decode(word1), word2);
      returned.set(true);
      message.get();
    }
    assertFalse(overtaken.get(), "the message was still on its way");
    assertEquals(0, raw.its.commandErrors(), raw.its::lastCommandError);
    boolean moved = name.equals("MOVI");
    boolean stays = name.equals("MAPTI") || name.equals("MAPD") || name.equals("MAPC");
    assertEquals(stays, raw.isPending(0, 8192));
    assertEquals(moved, raw.isPending(1, 8192));
  }
}
