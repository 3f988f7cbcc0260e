package dev.doorbell.hw.pcie;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.hw.pcie.EndpointSpec.Msi;
import dev.doorbell.hw.pcie.Hierarchy.Arrived;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "PCIe 6.1.4, 7.7: messages of a function, programmed and fired in any order, against a plain account")
class MessagePropertyTest {
  private static final Sbdf FUNCTION = new Sbdf(0, 0, 1, 0);
  private static final long AT = Hierarchy.WINDOW;

  /// What MSI or MSI-X of one function does, in plain numbers.
  private static final class Account {
    final boolean msix;
    final boolean maskable;
    final long[] address;
    final int[] data;
    final boolean[] masked;
    final boolean[] pending;
    boolean on;
    boolean functionMask;
    boolean master = true;
    int granted = 1;
    final List<Arrived> sent = new ArrayList<>();

    Account(boolean msix, boolean maskable, int vectors) {
      this.msix = msix;
      this.maskable = maskable;
      address = new long[vectors];
      data = new int[vectors];
      masked = new boolean[vectors];
      pending = new boolean[vectors];
      if (msix) {
        Arrays.fill(masked, true);
      }
    }

    long addressOf(int v) {
      return address[msix ? v : 0];
    }

    int dataOf(int v) {
      return msix ? data[v] : (data[0] & -granted) + v % granted;
    }

    boolean held(int v) {
      return masked[v] || functionMask;
    }

    Firing fire(int v) {
      if (!on || !msix && v >= granted) {
        return Firing.OFF;
      }
      if (held(v)) {
        pending[v] = true;
        return Firing.PENDING;
      }
      if (!master) {
        return Firing.OFF;
      }
      send(v);
      return Firing.SENT;
    }

    private void send(int v) {
      sent.add(
          new Arrived(FUNCTION.requesterId(), addressOf(v), Integer.toUnsignedLong(dataOf(v))));
    }

    /// What waited and waits no more leaves, lowest first.
    void settle() {
      for (int v = 0; on && master && v < (msix ? pending.length : granted); v++) {
        if (pending[v] && !held(v)) {
          pending[v] = false;
          send(v);
        }
      }
    }
  }

  private static void hold(EndpointSpec spec, int vectors, SeededRandom random) {
    Hierarchy h = new Hierarchy();
    EndpointModel e = demo(h, spec, vectors);
    PciFunction f = PciFunction.of(FUNCTION, e.config(), "model");
    Optional<MsixCapability> msix = f.msix().thing();
    MessageTable t =
        msix.<MessageTable>map(m -> m.table(h.at(AT + 0x1_0000), h.at(AT + 0x1_0000)))
            .or(() -> f.msi().thing())
            .orElseThrow();
    Account a = new Account(msix.isPresent(), t.isMaskable(), vectors);
    assertEquals(vectors, t.size());
    for (int step = 0; step < 80; step++) {
      int v = random.below(vectors);
      switch (random.below(12)) {
        case 0, 1 -> write(t, a, v, random);
        case 2 -> {
          int count = 1 << random.between(0, 31 - Integer.numberOfLeadingZeros(vectors));
          t.enable(count);
          a.on = true;
          a.granted = a.msix ? 1 : count;
        }
        case 3 -> {
          t.disable();
          a.on = false;
        }
        case 4, 5, 6 -> {
          if (a.maskable) {
            boolean mask = random.nextBoolean();
            t.mask(v, mask);
            a.masked[v] = mask;
          }
        }
        case 7 -> {
          a.functionMask = msix.isPresent() && random.nextBoolean();
          msix.ifPresent(m -> m.functionMask(a.functionMask));
        }
        case 8 -> {
          a.master = !random.oneIn(3);
          ConfigAccess.header(e.config())
              .set(
                  ConfigHeaderLayout.COMMAND,
                  ConfigHeaderLayout.BUS_MASTER_ENABLE,
                  a.master ? 1 : 0);
        }
        default -> assertEquals(a.fire(v), e.fire(v), "vector " + v);
      }
      a.settle();
      assertEquals(a.sent, h.arrived);
      seen(t, a, h);
    }
  }

  private static void write(MessageTable t, Account a, int v, SeededRandom random) {
    int at = a.msix ? v : 0;
    long address = random.bits(t.is64Bit() ? 40 : 32) & ~3L;
    // MSI carries 16 bits, and the low ones become the vector's number.
    int data = a.msix ? (int) random.nextLong() : (int) random.bits(16);
    t.write(at, address, data);
    a.address[at] = address;
    a.data[at] = data;
  }

  /// What software reads, registers of the pending bits included.
  private static void seen(MessageTable t, Account a, Hierarchy h) {
    assertEquals(a.on, t.isEnabled());
    for (int v = 0; v < a.pending.length; v++) {
      assertEquals(a.masked[v], t.isMasked(v), "mask of " + v);
      assertEquals(a.pending[v], t.isPending(v), "pending bit of " + v);
      assertEquals(a.addressOf(v), t.address(v), "address of " + v);
      if (a.msix || v < a.granted) {
        assertEquals(a.dataOf(v), t.data(v), "datum of " + v);
      }
      if (a.msix) {
        long word = h.at(AT + 0x1_8000).read(v / 64 * 8, 8);
        assertEquals(a.pending[v], (word >>> v % 64 & 1) != 0, "bit " + v + " of the PBA");
      }
    }
  }

  private static EndpointModel demo(Hierarchy h, EndpointSpec spec, int vectors) {
    EndpointModel e = EndpointModel.create(spec, new DemoRegisters(vectors));
    h.complex.root().add(FUNCTION.requesterId(), e);
    Hierarchy.place(e, AT);
    return e;
  }

  @Test
  @DisplayName("MSI of each shape: 1 to 32 vectors, 32 and 64 bits of address, maskable or not")
  void msi() {
    Property.check(
        "MSI in any order",
        120,
        random -> {
          int vectors = 1 << random.between(0, 5);
          Msi shape = new Msi(vectors, random.nextBoolean(), random.nextBoolean());
          hold(EndpointSpec.demoMsi(shape), vectors, random);
        });
  }

  @Test
  @DisplayName("MSI-X, table and pending bits through the BAR")
  void msix() {
    Property.check(
        "MSI-X in any order",
        60,
        random -> {
          int vectors = random.between(1, 130);
          hold(EndpointSpec.demo(vectors), vectors, random);
        });
  }
}
