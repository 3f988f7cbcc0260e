package dev.doorbell.hw.pcie;

import static dev.doorbell.hw.pcie.Hierarchy.demo;
import static dev.doorbell.hw.pcie.Hierarchy.mebibytes;
import static dev.doorbell.hw.pcie.Hierarchy.port;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.hw.pcie.Hierarchy.Arrived;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.BridgeRegisters;
import dev.doorbell.pci.Capability;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.DmaAliases;
import dev.doorbell.pci.Ecam;
import dev.doorbell.pci.ExtendedLayout;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 6.12, 7.5.1.3: bridges, requester ids and peer requests")
class BridgeModelTest {
  private static final long A = Hierarchy.WINDOW;
  private static final long B = Hierarchy.WINDOW + 0x10_0000;
  private final Hierarchy h = new Hierarchy();

  private static void acs(BridgeModel b, long control) {
    Capability c =
        PciFunction.of(new Sbdf(0, 0, 0, 0), b.config(), "model")
            .capabilities()
            .findExtended(0x0d)
            .thing()
            .orElseThrow();
    new ConfigAccess(b.config(), c.offset()).write(ExtendedLayout.ACS_CONTROL, control);
  }

  /// Root port 00:01.0, switch 01:00.0 with downstream ports 02:00.0 and 02:01.0, an endpoint below each.
  private final BridgeModel rootPort =
      port(
          h.complex.root(),
          8,
          Optional.of(PortType.ROOT_PORT),
          true,
          new BridgeRegisters(0, 1, 4),
          mebibytes(A, 2));

  private final BridgeModel upstream =
      port(
          rootPort.below(),
          0,
          Optional.of(PortType.UPSTREAM_PORT),
          false,
          new BridgeRegisters(1, 2, 4),
          mebibytes(A, 2));
  private final BridgeModel first =
      port(
          upstream.below(),
          0,
          Optional.of(PortType.DOWNSTREAM_PORT),
          true,
          new BridgeRegisters(2, 3, 3),
          mebibytes(A, 1));
  private final BridgeModel second =
      port(
          upstream.below(),
          8,
          Optional.of(PortType.DOWNSTREAM_PORT),
          true,
          new BridgeRegisters(2, 4, 4),
          mebibytes(B, 1));
  private final EndpointModel a = demo(first.below(), 0, A, 4);
  private final EndpointModel b = demo(second.below(), 0, B, 4);

  @Test
  void configurationRequestsFollowTheBusNumbers() {
    assertEquals(DemoLayout.DEVICE, h.ecam.read(4L << 20 | 2, 2).value());
    assertEquals(DemoLayout.DEVICE, h.complex.config(new Sbdf(0, 3, 0, 0)).read16(2));
    assertEquals(
        0xffff_ffffL, h.ecam.read(3L << 20 | 1 << 15, 4).value(), "a link has device 0 only");
    assertEquals(0xffff_ffffL, h.ecam.read(9L << 20, 4).value());
    assertEquals(-1L, h.ecam.read(9L << 20, 8).value());
    second.setBusNumbers(new BridgeRegisters(2, 0, 0));
    assertEquals(0xffff, h.complex.config(new Sbdf(0, 4, 0, 0)).read16(2));
    assertEquals(BusOutcome.ERROR, h.ecam.read(1, 2).outcome());
  }

  @Test
  void cpusReachBarsThroughTheWindows() {
    assertEquals(DemoLayout.SIGNATURE, h.at(B).read(0, 4));
    second.openWindow(mebibytes(B + 0x10_0000, 1));
    assertEquals(BusOutcome.ERROR, h.complex.window(B).read(0, 4).outcome());
  }

  @Test
  void aWriteToMemoryArrivesUnderTheEndpointsId() {
    assertEquals(BusOutcome.OK, a.dmaWrite(0x8000_0000L, 0x55, 4));
    assertEquals(List.of(new Arrived(0x300, 0x8000_0000L, 0x55)), h.arrived);
  }

  @Test
  void withoutRequestRedirectAPeerWriteNeverReachesTheIommu() {
    assertEquals(BusOutcome.OK, a.dmaWrite(B + DemoLayout.LENGTH.offset(), 77, 4));
    assertEquals(List.of(), h.arrived);
    assertEquals(77, h.at(B).read(DemoLayout.LENGTH.offset(), 4));
  }

  @Test
  void withRequestRedirectItDoes() {
    acs(first, ExtendedLayout.REQUEST_REDIRECT.mask());
    acs(rootPort, ExtendedLayout.UPSTREAM_FORWARDING.mask());
    assertEquals(BusOutcome.OK, a.dmaWrite(B + DemoLayout.LENGTH.offset(), 77, 4));
    assertEquals(List.of(new Arrived(0x300, B + DemoLayout.LENGTH.offset(), 77)), h.arrived);
    assertEquals(0, h.at(B).read(DemoLayout.LENGTH.offset(), 4));
  }

  @Test
  void sourceValidationStopsAForgedRequesterId() {
    assertEquals(BusOutcome.OK, a.forgedWrite(0x400, 0x8000_0000L, 1, 4));
    assertEquals(List.of(new Arrived(0x400, 0x8000_0000L, 1)), h.arrived);
    acs(first, ExtendedLayout.SOURCE_VALIDATION.mask());
    assertEquals(BusOutcome.ERROR, a.forgedWrite(0x400, 0x8000_0000L, 1, 4));
    assertEquals(1, first.blocked());
    assertEquals(BusOutcome.OK, a.dmaWrite(0x8000_0000L, 1, 4));
    assertEquals(2, h.arrived.size());
  }

  @Test
  void aPortThatMayNotMasterPassesNothingUp() {
    ConfigAccess header = ConfigAccess.header(upstream.config());
    header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, 0);
    assertEquals(BusOutcome.ERROR, b.dmaWrite(0x8000_0000L, 1, 4));
    assertTrue(h.arrived.isEmpty());
  }

  @Test
  void secondaryBusResetResetsWhatIsBelow() {
    ConfigAccess header = ConfigAccess.header(first.config());
    header.set(BridgeHeaderLayout.BRIDGE_CONTROL, BridgeHeaderLayout.SECONDARY_BUS_RESET, 1);
    assertEquals(0, a.config().read16(4));
    assertEquals(6, b.config().read16(4));
    assertEquals(0, a.config().read32(0x10) & ~0xf);
  }

  @Test
  void behindAPciBridgeEveryoneSendsAsTheSecondaryBus() {
    Hierarchy k = new Hierarchy();
    BridgeModel root =
        port(
            k.complex.root(),
            16,
            Optional.of(PortType.ROOT_PORT),
            true,
            new BridgeRegisters(0, 5, 7),
            mebibytes(A, 2));
    BridgeModel toPci =
        port(
            root.below(),
            0,
            Optional.of(PortType.PCIE_TO_PCI_BRIDGE),
            false,
            new BridgeRegisters(5, 6, 7),
            mebibytes(A, 2));
    BridgeModel conventional =
        port(
            toPci.below(),
            0x18,
            Optional.empty(),
            false,
            new BridgeRegisters(6, 7, 7),
            mebibytes(B, 1));
    EndpointModel near = demo(toPci.below(), 0x08, A, 1);
    EndpointModel far = demo(conventional.below(), 0x20, B, 1);
    near.dmaWrite(0x8000_0000L, 1, 4);
    far.dmaWrite(0x8000_0000L, 2, 4);
    assertEquals(
        List.of(new Arrived(0x600, 0x8000_0000L, 1), new Arrived(0x600, 0x8000_0000L, 2)),
        k.arrived);
    // A conventional bus shows every request to everyone on it.
    assertEquals(BusOutcome.OK, far.dmaWrite(A + DemoLayout.LENGTH.offset(), 9, 4));
    assertEquals(9, k.at(A).read(DemoLayout.LENGTH.offset(), 4));
    assertEquals(2, k.arrived.size());
  }

  @Test
  void rootPortsReachEachOtherOnlyInARootComplexThatDoesPeerToPeer() {
    for (boolean peer : new boolean[] {false, true}) {
      Hierarchy k = new Hierarchy(peer);
      BridgeModel one =
          port(
              k.complex.root(),
              8,
              Optional.of(PortType.ROOT_PORT),
              true,
              new BridgeRegisters(0, 1, 1),
              mebibytes(A, 1));
      BridgeModel two =
          port(
              k.complex.root(),
              16,
              Optional.of(PortType.ROOT_PORT),
              true,
              new BridgeRegisters(0, 2, 2),
              mebibytes(B, 1));
      EndpointModel from = demo(one.below(), 0, A, 1);
      demo(two.below(), 0, B, 1);
      from.dmaWrite(B + DemoLayout.LENGTH.offset(), 3, 4);
      assertEquals(peer ? 0 : 1, k.arrived.size());
      acs(one, ExtendedLayout.REQUEST_REDIRECT.mask());
      from.dmaWrite(B + DemoLayout.LENGTH.offset(), 4, 4);
      assertEquals(peer ? 1 : 2, k.arrived.size());
    }
  }

  @Test
  @DisplayName(
      "PCIe 7.5.1.3.8: without Memory Space Enable a bridge takes no memory request from above")
  void windowsThatAreClosed() {
    ConfigAccess header = ConfigAccess.header(second.config());
    header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE, 0);
    assertEquals(BusOutcome.ERROR, h.complex.window(B).read(0, 4).outcome());
    assertEquals(BusOutcome.ERROR, h.complex.window(B).write(0x20, 1, 4, -1));
    assertEquals(DemoLayout.SIGNATURE, h.at(A).read(0, 4), "the other one's is open");
    header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE, 1);
    assertEquals(DemoLayout.SIGNATURE, h.at(B).read(0, 4));
    assertEquals(BusOutcome.ERROR, h.complex.window(A).read(0x8_0000, 4).outcome(), "no BAR there");
  }

  @Test
  @DisplayName(
      "PCIe 6.12: what lies below a port does not go up through it, but for ACS Upstream Forwarding")
  void ownAddresses() {
    long nobody = A + 0x8_0000;
    assertEquals(BusOutcome.ERROR, a.dmaWrite(nobody, 1, 4));
    assertEquals(1, first.blocked());
    assertEquals(List.of(), h.arrived);
    acs(first, ExtendedLayout.UPSTREAM_FORWARDING.mask());
    acs(rootPort, ExtendedLayout.UPSTREAM_FORWARDING.mask());
    assertEquals(BusOutcome.OK, a.dmaWrite(nobody, 1, 4));
    assertEquals(List.of(new Arrived(0x300, nobody, 1)), h.arrived);
  }

  @Test
  @DisplayName("PCIe 6.12.1.1: source validation knows every bus below a port")
  void sourcesOfAllBusesBelow() {
    acs(rootPort, ExtendedLayout.SOURCE_VALIDATION.mask());
    for (int rid : new int[] {0x100, 0x300, 0x4ff}) {
      assertEquals(BusOutcome.OK, a.forgedWrite(rid, 0x8000_0000L, 1, 4));
    }
    for (int rid : new int[] {0x000, 0x0ff, 0x500}) {
      assertEquals(BusOutcome.ERROR, a.forgedWrite(rid, 0x8000_0000L, 1, 4));
    }
    assertEquals(3, h.arrived.size());
  }

  @Test
  @DisplayName("PCIe 6.13: further device numbers below a port answer where it forwards ARI")
  void ariNumbers() {
    demo(first.below(), 0x11, A + 0x4_0000, 1);
    int forwarding = 0x40 + 0x28;
    assertEquals(0xffff, h.complex.config(new Sbdf(0, 3, 2, 1)).read16(0));
    assertEquals(DemoLayout.DEVICE, h.complex.config(new Sbdf(0, 3, 0, 0)).read16(2));
    first.config().write(forwarding, 0x20, 2);
    assertEquals(DemoLayout.DEVICE, h.complex.config(new Sbdf(0, 3, 2, 1)).read16(2));
  }

  @Test
  @DisplayName("PCIe 9.2.1.2: a VF past the bus of its PF answers there, and sends from there")
  void vfsOnLaterBuses() {
    rootPort.setBusNumbers(new BridgeRegisters(0, 1, 9));
    first.setBusNumbers(new BridgeRegisters(2, 3, 5));
    second.setBusNumbers(new BridgeRegisters(2, 6, 6));
    upstream.setBusNumbers(new BridgeRegisters(1, 2, 9));
    EndpointModel vf = demo(first.below(), 0x205, A + 0x4_0000, 1);
    assertEquals(0x505, vf.requesterId());
    assertEquals(DemoLayout.DEVICE, h.complex.config(new Sbdf(0, 5, 0, 5)).read16(2));
    assertEquals(0xffff, h.complex.config(new Sbdf(0, 4, 0, 5)).read16(2));
    vf.dmaWrite(0x8000_0000L, 1, 4);
    assertEquals(List.of(new Arrived(0x505, 0x8000_0000L, 1)), h.arrived);
  }

  @Test
  @DisplayName("PCIe 7.2.2: the first byte of an ECAM window is the root bus's")
  void ecamOfALaterRootBus() {
    Hierarchy k = new Hierarchy(1, 0x80);
    demo(k.complex.root(), 8, A, 1);
    assertEquals(DemoLayout.DEVICE, k.ecam.read(8L << 12 | 2, 2).value());
    assertEquals(0xffff_ffffL, k.ecam.read(0x80L << 20 | 8L << 12, 4).value());
    Ecam ecam = new Ecam(Hierarchy.bus(k.ecam), 1, 0x80, 0xff);
    assertEquals(DemoLayout.DEVICE, ecam.config(new Sbdf(1, 0x80, 1, 0)).read16(2));
    assertEquals(0xffff, ecam.config(new Sbdf(1, 0x81, 1, 0)).read16(2));
    assertEquals(BusOutcome.OK, k.ecam.write(8L << 12 | 4, 6, 2, -1));
    assertEquals(6, k.complex.config(new Sbdf(1, 0x80, 1, 0)).read16(4));
    assertEquals(BusOutcome.OK, k.ecam.write(9L << 12 | 4, 6, 2, -1), "writes to nobody vanish");
  }

  @Test
  @DisplayName("PCIe bridge 2.3: every kind of bridge sends under the id that DMA aliases tell")
  void requesterIdsAreThoseOfTheAliases() {
    for (PortType type :
        List.of(PortType.ROOT_PORT, PortType.PCIE_TO_PCI_BRIDGE, PortType.PCI_TO_PCIE_BRIDGE)) {
      for (Optional<PortType> below :
          List.of(
              Optional.<PortType>empty(),
              Optional.of(PortType.PCI_TO_PCIE_BRIDGE),
              Optional.of(PortType.PCIE_TO_PCI_BRIDGE))) {
        Hierarchy k = new Hierarchy();
        BridgeModel upper =
            port(
                k.complex.root(),
                0x2a,
                Optional.of(type),
                false,
                new BridgeRegisters(0, 5, 6),
                mebibytes(A, 2));
        BridgeModel lower =
            port(upper.below(), 1, below, false, new BridgeRegisters(5, 6, 6), mebibytes(B, 1));
        EndpointModel far = demo(lower.below(), 3, B, 1);
        far.dmaWrite(0x8000_0000L, 1, 4);
        PciFunction f = function(k, 6, 3);
        PciTopology t = PciTopology.of(List.of(function(k, 0, 0x2a), function(k, 5, 1), f));
        assertEquals(
            List.of(new Arrived(DmaAliases.atRootComplex(t, f), 0x8000_0000L, 1)),
            k.arrived,
            type + " above " + below);
      }
    }
  }

  private static PciFunction function(Hierarchy k, int bus, int position) {
    Sbdf s = new Sbdf(0, bus, position >> 3, position & 7);
    return PciFunction.of(s, k.complex.config(s), "model");
  }

  @Test
  @DisplayName(
      "6.12: Translation Blocking and Completion Redirect are kept, and change no request; a port has no other ACS controls than these and the three that act")
  void controlsWithoutEffect() {
    long acting =
        ExtendedLayout.SOURCE_VALIDATION.mask()
            | ExtendedLayout.REQUEST_REDIRECT.mask()
            | ExtendedLayout.UPSTREAM_FORWARDING.mask();
    for (BridgeModel port : List.of(rootPort, first, second)) {
      acs(port, 0x1fff & ~acting);
      Capability c =
          PciFunction.of(new Sbdf(0, 0, 0, 0), port.config(), "model")
              .capabilities()
              .findExtended(0x0d)
              .thing()
              .orElseThrow();
      assertEquals(0b1010, port.config().read16(c.offset() + 6));
    }
    assertEquals(BusOutcome.OK, a.dmaWrite(B + DemoLayout.LENGTH.offset(), 77, 4));
    assertEquals(77, h.at(B).read(DemoLayout.LENGTH.offset(), 4), "across, and not redirected");
    assertEquals(BusOutcome.OK, a.forgedWrite(0x900, 0x8000_0000L, 1, 4));
    assertEquals(List.of(new Arrived(0x900, 0x8000_0000L, 1)), h.arrived);
    assertEquals(BusOutcome.ERROR, a.dmaWrite(A + 0x8_0000, 1, 4), "not forwarded upwards");
  }
}
