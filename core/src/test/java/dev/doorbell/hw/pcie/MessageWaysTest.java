package dev.doorbell.hw.pcie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.Hierarchy.Arrived;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.BridgeRegisters;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.MsixTable;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "PCIe 7.5.1.3, 6.12: a message whose way is known goes where one goes that is led hop by hop")
class MessageWaysTest {
  private static final long MIB = 1L << 20;
  private static final int VECTORS = 4;
  private static final int MOST_POSITION = 30;

  /// Two functions below a switch's downstream port or a conventional bridge, one on the root bus, and what software may do to all of it.
  private static final class Machine {
    final Hierarchy h;
    final List<BridgeModel> bridges = new ArrayList<>();
    final List<EndpointModel> functions = new ArrayList<>();
    final List<long[]> addresses = new ArrayList<>();
    final StringBuilder steps = new StringBuilder();
    int added = MOST_POSITION;

    Machine(SeededRandom random) {
      h = new Hierarchy(random.nextBoolean());
      Optional<PortType> type =
          random.oneIn(3)
              ? Optional.empty()
              : Optional.of(
                  random.pick(new PortType[] {PortType.ROOT_PORT, PortType.PCIE_TO_PCI_BRIDGE}));
      BridgeModel above =
          Hierarchy.port(
              h.complex.root(),
              8,
              type,
              random.nextBoolean(),
              new BridgeRegisters(0, 1, 4),
              Hierarchy.mebibytes(Hierarchy.WINDOW, 16));
      bridges.add(above);
      BridgeModel below =
          Hierarchy.port(
              above.below(),
              0,
              type.map(t -> t == PortType.ROOT_PORT ? PortType.UPSTREAM_PORT : t),
              random.nextBoolean(),
              new BridgeRegisters(1, 2, 3),
              Hierarchy.mebibytes(Hierarchy.WINDOW, 8));
      bridges.add(below);
      add(below.below(), 0, 0, random);
      add(below.below(), 8, 2, random);
      add(h.complex.root(), 16, 40, random);
    }

    private void add(BusModel bus, int position, int mebibytes, SeededRandom random) {
      EndpointModel e = Hierarchy.demo(bus, position, Hierarchy.WINDOW + mebibytes * MIB, VECTORS);
      MsixTable table = direct(e);
      long[] to = new long[VECTORS];
      for (int v = 0; v < VECTORS; v++) {
        to[v] = address(random);
        table.write(v, to[v], v);
        table.mask(v, false);
      }
      table.enable(VECTORS);
      functions.add(e);
      addresses.add(to);
    }

    // A doorbell far away, a neighbour's BAR, or somewhere in the windows.
    private static long address(SeededRandom random) {
      return random.pick(
          new Long[] {
            0x808_0040L,
            0x1_0000_0040L,
            Hierarchy.WINDOW + random.below(16) * MIB,
            Hierarchy.WINDOW + 2 * MIB,
            Hierarchy.WINDOW + 40 * MIB
          });
    }

    void change(SeededRandom random) {
      int choice = random.below(8);
      BridgeModel bridge = random.pick(bridges);
      ConfigAccess header = ConfigAccess.header(bridge.config());
      EndpointModel function = random.pick(functions);
      steps.append(choice).append(' ').append(bridges.indexOf(bridge)).append('\n');
      switch (choice) {
        case 0 -> {
          int first = random.between(1, 9);
          bridge.setBusNumbers(new BridgeRegisters(0, first, first + random.below(4)));
        }
        case 1 ->
            bridge.openWindow(
                Hierarchy.mebibytes(
                    Hierarchy.WINDOW + random.below(8) * MIB, 1 + random.below(60)));
        case 2 ->
            header.set(
                ConfigHeaderLayout.COMMAND,
                ConfigHeaderLayout.BUS_MASTER_ENABLE,
                random.oneIn(3) ? 0 : 1);
        case 3 -> header.write(BridgeHeaderLayout.BRIDGE_CONTROL, random.oneIn(6) ? 0x40 : 0);
        case 4 ->
            bridge.config().write(random.below(64) * 4, (int) random.nextLong(), Integer.BYTES);
        case 5 -> function.placeBar(0, Hierarchy.WINDOW + random.below(48) * MIB);
        case 6 ->
            ConfigAccess.header(function.config())
                .set(
                    ConfigHeaderLayout.COMMAND,
                    ConfigHeaderLayout.MEMORY_SPACE_ENABLE,
                    random.below(2));
        default -> {
          if (added > 0 && random.oneIn(8)) {
            Hierarchy.demo(
                random.nextBoolean() ? h.complex.root() : bridge.below(),
                100 + --added,
                Hierarchy.WINDOW + random.below(48) * MIB,
                1);
          }
        }
      }
    }

    /// {@return whether the message arrived}
    boolean fire(SeededRandom random) {
      int which = random.below(functions.size());
      EndpointModel e = functions.get(which);
      int vector = random.below(VECTORS);
      long address = addresses.get(which)[vector];
      h.arrived.clear();
      Firing fired = e.fire(vector);
      if (fired != Firing.SENT && fired != Firing.LOST) {
        return false;
      }
      List<Arrived> known = List.copyOf(h.arrived);
      h.arrived.clear();
      BusOutcome led = e.forgedWrite(e.requesterId(), address, vector, Integer.BYTES);
      assertEquals(h.arrived, known, steps::toString);
      assertEquals(led == BusOutcome.OK ? Firing.SENT : Firing.LOST, fired, steps::toString);
      return !known.isEmpty();
    }
  }

  /// {@return the function's MSI-X table, reached past all bridges}
  private static MsixTable direct(EndpointModel e) {
    long base = e.bars().get(1).address();
    RegisterBus bar =
        new RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            return e.read(base + offset, bytes).value();
          }

          @Override
          public void write(long offset, long value, int bytes) {
            assertEquals(BusOutcome.OK, e.write(base + offset, value, bytes));
          }
        };
    PciFunction f = PciFunction.of(Sbdf.of(0, e.requesterId()), e.config(), "model");
    return f.msix().thing().orElseThrow().table(bar, bar);
  }

  @Test
  @DisplayName("whatever is programmed between two messages")
  void asLed() {
    int[] arrived = new int[1];
    Property.check(
        "ways of messages",
        300,
        random -> {
          Machine m = new Machine(random);
          for (int i = 0; i < 60; i++) {
            if (random.oneIn(3)) {
              m.change(random);
            }
            arrived[0] += m.fire(random) ? 1 : 0;
          }
        });
    assertTrue(arrived[0] > 2000, () -> "only " + arrived[0] + " arrived");
  }

  @Test
  @DisplayName("a port that is put into a hierarchy takes along what was below it already")
  void joined() {
    Hierarchy h = new Hierarchy();
    BridgeModel port = BridgeModel.create(Optional.of(PortType.ROOT_PORT), 0x1b36, 0x000c, false);
    EndpointModel e = Hierarchy.demo(port.below(), 0, Hierarchy.WINDOW, 1);
    MsixTable table = direct(e);
    table.write(0, 0x808_0040L, 5);
    table.mask(0, false);
    table.enable(1);
    assertEquals(Firing.LOST, e.fire(0));
    h.complex.root().add(8, port);
    port.setBusNumbers(new BridgeRegisters(0, 7, 7));
    port.openWindow(AddressRange.ofSize(Hierarchy.WINDOW, MIB));
    assertEquals(Firing.SENT, e.fire(0));
    port.setBusNumbers(new BridgeRegisters(0, 9, 9));
    assertEquals(Firing.SENT, e.fire(0));
    assertEquals(
        List.of(new Arrived(0x700, 0x808_0040L, 5), new Arrived(0x900, 0x808_0040L, 5)), h.arrived);
    table.mask(0, true);
    assertEquals(Firing.PENDING, e.fire(0));
  }
}
