package dev.doorbell.hw.pcie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.doorbell.pci.Firing;
import dev.doorbell.pci.MsixTable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 6.1.4: vectors that fire while software rewrites their entries")
class FireInFlightTest {
  private static final int ROUNDS = 3_000;
  private static final long DOORBELL = 0x1_0000_0000L;

  private final Hierarchy h = new Hierarchy();
  private final EndpointModel device = Hierarchy.demo(h.complex.root(), 8, Hierarchy.WINDOW, 4);
  private final MsixTable table = MsixModelTest.table(device, h, Hierarchy.WINDOW + 0x10000);

  private static long address(int round) {
    return DOORBELL + ((long) round << 4);
  }

  @Test
  @DisplayName(
      "7.7.2.5: an entry that is changed while it is masked is sent as it was or as it is, never half of each")
  void entriesAreSentWhole() throws Exception {
    table.write(3, address(0), 0);
    table.mask(3, false);
    table.enable(4);
    AtomicBoolean done = new AtomicBoolean();
    int sent;
    try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
      Future<Integer> firing =
          threads.submit(() -> {
            int count = 0;
            while (!done.get()) {
              Firing fired = device.fire(3);
              assertNotEquals(Firing.OFF, fired);
              count += fired == Firing.SENT ? 1 : 0;
            }
            return count;
          });
      try {
        for (int round = 1; round < ROUNDS || h.arrivals() < ROUNDS; round++) {
          table.mask(3, true);
          table.write(3, address(round), round);
          table.mask(3, false);
        }
      } finally {
        done.set(true);
        sent = firing.get();
      }
    }
    h.arrived.forEach(a -> assertEquals(address((int) a.value()), a.address()));
    // What waited was sent when the mask went.
    assertFalse(table.isPending(3));
    assertNotEquals(0, sent);
  }

  @Test
  @DisplayName("7.7.2.2: once messages are off, or bus mastering is, nothing is sent any more")
  void nothingIsSentAfterItIsOff() throws Exception {
    table.write(0, DOORBELL, 7);
    table.mask(0, false);
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
      Future<?> firing =
          threads.submit(() -> {
            while (!done.get()) {
              device.fire(0);
            }
          });
      try {
        for (int round = 0; round < ROUNDS; round++) {
          table.enable(4);
          table.disable();
        }
      } finally {
        done.set(true);
        firing.get();
      }
    }
    h.arrived.clear();
    assertEquals(Firing.OFF, device.fire(0));
    device.config().write(4, 0, 2);
    table.enable(4);
    assertEquals(Firing.OFF, device.fire(0));
    assertEquals(0, h.arrivals());
    device.config().write(4, 6, 2);
    assertEquals(Firing.SENT, device.fire(0));
  }
}
