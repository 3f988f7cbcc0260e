package dev.doorbell.host;

import static dev.doorbell.host.VtdBench.THEM;
import static dev.doorbell.host.VtdBench.US;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.PostedDescriptor;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.VectorBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostedInterruptsTest {
  private static final List<Long> IDS = List.of(0L, 2L, 4L, 6L);
  private static final MsiSource SOURCE = new MsiSource("0000:01:00.0", US);
  private static final int NOTIFICATION = 0xf2;
  private static final long CONTROL = 32;
  private static final long IRTA = 0xb8;
  private static final long ON = 1;
  private static final long SN = 2;

  private final VtdBench bench = new VtdBench(IDS);
  private final VectorBlock block = bench.controller.allocate(SOURCE, 3, false);
  private final PostedDescriptor guest = bench.controller.posting().orElseThrow().create();

  private void ring(int vector) {
    assertEquals(BusOutcome.OK, bench.ring(US, block.doorbell(vector), block.data(vector)));
  }

  private void post(int vector, int guestVector, boolean urgent) {
    block.activate(vector, 1);
    block.post(vector, new PostedInterrupt(guest.address(), guestVector, urgent));
  }

  /// {@return notifications that arrived at a CPU since the last look}
  private int notified(int cpu) {
    int count = 0;
    for (int v = bench.cpus.acknowledge(cpu); v >= 0; v = bench.cpus.acknowledge(cpu)) {
      assertEquals(NOTIFICATION, v);
      bench.cpus.endOfInterrupt(cpu, v);
      count++;
    }
    return count;
  }

  private long control() {
    return bench.memory.read64(guest.address() + CONTROL);
  }

  private static long[] bits(int... vectors) {
    long[] out = new long[PostedDescriptor.WORDS];
    for (int v : vectors) {
      out[v / 64] |= 1L << v % 64;
    }
    return out;
  }

  private void taken(int... vectors) {
    long[] into = new long[PostedDescriptor.WORDS];
    assertEquals(vectors.length, guest.take(into));
    assertArrayEquals(bits(vectors), into);
  }

  @Test
  @DisplayName(
      "VT-d 5.2.3: the first post notifies, those after it do not until it is taken, and no bit is lost")
  void outstanding() {
    post(0, 0x31, false);
    post(1, 0xff, false);
    assertFalse(guest.send(NOTIFICATION, IDS.get(2)));
    assertFalse(guest.resume());
    ring(0);
    assertEquals(ON, control() & 3);
    ring(1);
    ring(0);
    assertEquals(1, notified(2));
    assertEquals(List.of(), bench.collect());
    taken(0x31, 0xff);
    assertEquals(0, control() & 3);
    ring(1);
    assertEquals(1, notified(2));
    taken(0xff);
    taken();
  }

  @Test
  @DisplayName(
      "VT-d 5.2.3: a suppressed descriptor keeps the bit and tells nobody, so that the end of it says so; an urgent post tells")
  void suppressed() {
    post(0, 0x31, false);
    post(1, 0x40, true);
    guest.send(NOTIFICATION, IDS.get(3));
    ring(0);
    assertEquals(0, notified(3));
    assertEquals(SN, control() & 3);
    assertTrue(guest.resume(), "posted, and nobody told");
    taken(0x31);
    guest.suppress();
    ring(0);
    ring(1);
    assertEquals(1, notified(3));
    assertEquals(ON | SN, control() & 3);
    assertFalse(guest.resume(), "the notification is outstanding");
    taken(0x31, 0x40);
  }

  @Test
  @DisplayName(
      "notifications move with the guest's processor; one that went to the former place is told of")
  void moved() {
    post(2, 0x80, false);
    guest.send(NOTIFICATION, IDS.get(0));
    guest.resume();
    ring(2);
    assertTrue(guest.send(NOTIFICATION, IDS.get(1)));
    ring(2);
    assertEquals(1, notified(0));
    assertEquals(0, notified(1));
    taken(0x80);
    ring(2);
    assertEquals(1, notified(1));
  }

  @Test
  @DisplayName(
      "a vector goes from host to guest and back by its entry alone, and no message is lost or told twice")
  void andBack() {
    block.activate(0, 3);
    long address = block.doorbell(0);
    ring(0);
    block.post(0, new PostedInterrupt(guest.address(), 0x55, false));
    assertEquals(List.of(List.of(block.number(0), 3)), bench.collect());
    ring(0);
    assertEquals(List.of(), bench.collect());
    assertThrows(IllegalStateException.class, () -> block.retarget(0, 0));
    block.endPost(0);
    ring(0);
    assertEquals(List.of(List.of(block.number(0), 3)), bench.collect());
    taken(0x55);
    assertEquals(address, block.doorbell(0));
    block.endPost(0);
    block.post(0, new PostedInterrupt(guest.address(), 0x55, false));
    block.deactivate(0);
    assertEquals(BusOutcome.ERROR, bench.ring(US, address, 0));
    taken();
    assertThrows(
        IllegalStateException.class,
        () -> block.post(0, new PostedInterrupt(guest.address(), 0x55, false)));
  }

  @Test
  @DisplayName(
      "nobody else's write is posted; FPD of an entry keeps faults of its descriptor quiet")
  void others() {
    post(0, 0x31, false);
    assertEquals(BusOutcome.ERROR, bench.ring(THEM, block.doorbell(0), 0));
    assertEquals(List.of(0x26), bench.faults());
    taken();
    block.deactivate(0);
    post(0, 0x31, false);
    long entry = bench.model.read(IRTA, 8).value() & -0x1000L;
    bench.memory.write64(entry, bench.memory.read64(entry) | 2);
    bench.memory.write64(guest.address() + CONTROL, 4);
    assertEquals(BusOutcome.ERROR, bench.ring(US, block.doorbell(0), 0));
    assertEquals(List.of(), bench.faults());
  }

  @Test
  @DisplayName("VT-d 7.1.3: a descriptor outside memory is fault 27h, reserved bits in one 28h")
  void hostile() {
    block.activate(0, 1);
    block.post(0, new PostedInterrupt(0x4_0000_0000L, 0x31, false));
    assertEquals(BusOutcome.ERROR, bench.ring(US, block.doorbell(0), 0));
    assertEquals(List.of(0x27), bench.faults());
    block.post(0, new PostedInterrupt(guest.address(), 0x31, false));
    for (long reserved : List.of(4L, 0x8000L, 1L << 24, 1L << 31)) {
      bench.memory.write64(guest.address() + CONTROL, reserved);
      assertEquals(BusOutcome.ERROR, bench.ring(US, block.doorbell(0), 0));
      assertEquals(List.of(0x28), bench.faults());
    }
    bench.memory.write64(guest.address() + CONTROL, 0);
    bench.memory.write64(guest.address() + 56, 1);
    assertEquals(BusOutcome.ERROR, bench.ring(US, block.doorbell(0), 0));
    assertEquals(List.of(0x28), bench.faults());
    taken();
    assertThrows(
        IllegalArgumentException.class,
        () -> block.post(0, new PostedInterrupt(guest.address() + 8, 0x31, false)));
    assertThrows(IllegalArgumentException.class, () -> new PostedInterrupt(0, 256, false));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  @DisplayName(
      "devices post while the monitor suppresses, resumes, moves and takes: every post is found without waiting for a later one")
  void neverLost(long seed) throws InterruptedException {
    int posts = 4000;
    for (int i = 0; i < 3; i++) {
      post(i, 0x40 * (i + 1) + 1, i == 2);
    }
    guest.send(NOTIFICATION, IDS.get(0));
    guest.resume();
    AtomicInteger rung = new AtomicInteger();
    List<Thread> devices = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int vector = i;
      devices.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int n = 0; n < posts; n++) {
                  bench.ring(US, block.doorbell(vector), 0);
                  rung.incrementAndGet();
                }
              }));
    }
    Random dice = new Random(seed);
    long[] seen = new long[PostedDescriptor.WORDS];
    while (rung.get() < 3 * posts) {
      boolean look =
          switch (dice.nextInt(4)) {
            case 0 -> {
              guest.suppress();
              yield guest.resume();
            }
            case 1 -> guest.send(NOTIFICATION, IDS.get(dice.nextInt(4)));
            default -> false;
          };
      for (int cpu = 0; cpu < 4; cpu++) {
        look |= notified(cpu) > 0;
      }
      if (look) {
        guest.take(seen);
      }
    }
    for (Thread device : devices) {
      device.join();
    }
    boolean look = false;
    for (int cpu = 0; cpu < 4; cpu++) {
      look |= notified(cpu) > 0;
    }
    if (look) {
      guest.take(seen);
    }
    long[] left = new long[PostedDescriptor.WORDS];
    assertEquals(0, guest.take(left), "posted, and no notification came");
    assertArrayEquals(bits(0x41, 0x81, 0xc1), seen);
  }
}
