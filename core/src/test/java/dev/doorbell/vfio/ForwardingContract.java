package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What every implementation does with a vector that is led to a guest. The guest here is one in memory; what a real one does with the kernel
/// is the room `linux`'s own test.
abstract class ForwardingContract extends ContractFixture {
  private final MemoryGuest guest = new MemoryGuest();

  /// Takes interrupts by number and counts them.
  private static final class MemoryGuest implements Guest {
    final Map<Integer, EventCounter> taken = new HashMap<>();
    int ways;

    @Override
    public GuestIrq irq(int gsi) {
      ways++;
      EventCounter to = taken.computeIfAbsent(gsi, n -> new EventCounter());
      return new GuestIrq() {
        private final EventCounter unseen = new EventCounter();
        private final Trigger trigger = this::signal;
        private boolean connected = true;
        private boolean open = true;

        private void signal() {
          (connected ? to : unseen).signalled();
        }

        @Override
        public Trigger trigger() {
          return trigger;
        }

        @Override
        public boolean disconnect() {
          connected = false;
          return unseen.take() > 0;
        }

        @Override
        public void close() {
          assertTrue(open, "a way is closed once");
          open = false;
          ways--;
        }
      };
    }

    long take(int gsi) {
      return taken.getOrDefault(gsi, new EventCounter()).take();
    }
  }

  private Device enabled(List<EventCounter> triggers) {
    Sbdf f = lab.msix().getFirst();
    container(ContainerOptions.USUAL, f);
    Device d = device(f);
    d.enable(IrqType.MSIX, triggers.size(), triggers);
    return d;
  }

  private void raise(Device d, int vector) {
    lab.raise(d, vector);
    lab.vfio().deliver();
  }

  @Test
  void aVectorRaisesTheGuestsInterruptAndTheOthersStay() {
    List<EventCounter> t = counters(4);
    Device d = enabled(t);
    try (Forwarding _ = d.vector(3).forwardTo(guest, 40)) {
      raise(d, 3);
      raise(d, 2);
      assertEquals(1, guest.take(40));
      expect(t, 0, 0, 1, 0);
      d.loopback(3);
      lab.vfio().deliver();
      assertEquals(1, guest.take(40));
    }
    raise(d, 3);
    assertEquals(0, guest.take(40));
    expect(t, 0, 0, 0, 1);
    assertEquals(0, guest.ways);
  }

  @Test
  void allVectorsAreLedAndTakenBackInAnyOrder() {
    List<EventCounter> t = counters(4);
    Device d = enabled(t);
    List<Forwarding> led = new ArrayList<>();
    for (int v = 0; v < 4; v++) {
      led.add(d.vector(v).forwardTo(guest, 40 + v));
    }
    for (int v = 0; v < 4; v++) {
      raise(d, v);
      assertEquals(1, guest.take(40 + v));
    }
    for (int v : new int[] {2, 0, 3, 1}) {
      led.get(v).close();
      led.get(v).close();
    }
    assertEquals(0, guest.ways);
    for (int v = 0; v < 4; v++) {
      raise(d, v);
      assertEquals(0, guest.take(40 + v));
    }
    expect(t, 1, 1, 1, 1);
  }

  @Test
  void aMaskedVectorFiresInTheGuestOnceItIsLetThrough() {
    Device d = enabled(counters(2));
    try (Forwarding _ = d.vector(1).forwardTo(guest, 41)) {
      d.mask(1, true);
      raise(d, 1);
      assertEquals(0, guest.take(41));
      d.mask(1, false);
      lab.vfio().deliver();
      assertEquals(1, guest.take(41));
    }
  }

  @Test
  void anMsiVectorIsLedToo() {
    container(ContainerOptions.USUAL, lab.msi());
    Device d = device(lab.msi());
    List<EventCounter> t = counters(2);
    d.enable(IrqType.MSI, 2, t);
    try (Forwarding _ = d.vector(1).forwardTo(guest, 41)) {
      raise(d, 1);
      assertEquals(1, guest.take(41));
    }
    raise(d, 1);
    expect(t, 0, 1);
  }

  @Test
  void aVectorThatIsNotEnabledIsRefusedAndNothingIsLeft() {
    Device d = enabled(counters(2));
    assertThrows(IllegalArgumentException.class, () -> d.vector(5).forwardTo(guest, 40));
    assertEquals(0, guest.ways);
    d.disable();
    assertThrows(IllegalArgumentException.class, () -> d.vector(0).forwardTo(guest, 40));
    assertEquals(0, guest.ways);
    assertFalse(d.trigger(0).isPresent());
  }

  @Test
  void disablingAndClosingEndWhatIsLed() {
    List<EventCounter> t = counters(2);
    Device d = enabled(t);
    Forwarding first = d.vector(0).forwardTo(guest, 40);
    d.disable();
    first.close();
    assertEquals(0, guest.ways);
    d.enable(IrqType.MSIX, 2, t);
    Forwarding second = d.vector(0).forwardTo(guest, 40);
    EventCounter other = new EventCounter();
    d.add(0, other);
    second.close();
    raise(d, 0);
    assertEquals(1, other.take(), "led elsewhere meanwhile, it stays there");
    Forwarding third = d.vector(1).forwardTo(guest, 41);
    d.close();
    third.close();
    assertEquals(0, guest.ways);
    assertEquals(0, guest.take(40) + guest.take(41));
  }
}
