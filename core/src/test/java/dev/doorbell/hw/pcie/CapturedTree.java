package dev.doorbell.hw.pcie;

import dev.doorbell.address.AddressRange;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.BridgeRegisters;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology;
import dev.doorbell.pci.PciTopology.BusId;
import dev.doorbell.pci.PciTopology.Parent;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The tests' own way, beside the room `machine`, to put models of captured functions together: bus numbers, windows and BARs as captured, messages and bus mastering of
/// endpoints off.
public final class CapturedTree {
  private final PciTopology topology;
  private final Devices devices;
  private final List<PciFunction> left = new ArrayList<>();

  private CapturedTree(PciTopology topology, Devices devices) {
    this.topology = topology;
    this.devices = devices;
  }

  /// What a capture tells besides configuration spaces, and what a device does.
  public interface Devices {
    /// {@return the memory BARs of a function by their first register, 0 to 5, and the PCI addresses that they had}
    List<Placed> bars(PciFunction function);

    /// {@return the device behind its BARs}
    EndpointRegisters registers(PciFunction function);
  }

  /// A memory BAR and where it was.
  ///
  /// @param range its size, a power of two, and where it lay on the bus; where the BAR's register was captured, that counts
  public record Placed(int index, AddressRange range) {}

  /// Puts models of the functions below a root bus on a root complex.
  ///
  /// {@return functions that could not be modelled: fewer than 64 bytes were captured, or their header is a CardBus bridge's}
  public static List<PciFunction> build(
      RootComplexModel complex, PciTopology topology, Devices devices) {
    CapturedTree tree = new CapturedTree(topology, devices);
    for (PciFunction f : topology.functions()) {
      if (topology.parent(f) instanceof Parent.RootComplex(BusId(int segment, int bus))
          && segment == complex.segment()
          && bus == complex.root().number()) {
        tree.add(f, complex.root());
      }
    }
    return List.copyOf(tree.left);
  }

  private void add(PciFunction f, BusModel bus) {
    Optional<Integer> header = f.headerLayout().thing();
    if (f.config().size() < CapabilityLayout.FIRST || header.isEmpty() || header.get() > 1) {
      left.add(f);
      return;
    }
    int position = f.sbdf().requesterId() - new Sbdf(0, bus.number(), 0, 0).requesterId();
    if (header.get() == 0) {
      bus.add(position, endpoint(f));
      return;
    }
    BridgeModel bridge = BridgeModel.ofImage(f.config());
    bus.add(position, bridge);
    if (BridgeRegisters.of(f.config()).secondary() == 0) {
      return;
    }
    for (PciFunction child : topology.functions()) {
      if (topology.parent(child) instanceof Parent.Bridge(PciFunction above) && above == f) {
        add(child, bridge.below());
      }
    }
  }

  private EndpointModel endpoint(PciFunction f) {
    List<Placed> placed = devices.bars(f);
    long[] bytes = new long[ConfigHeaderLayout.BAR.count()];
    long[] addresses = new long[bytes.length];
    for (Placed p : placed) {
      bytes[p.index()] = p.range().bytes();
      addresses[p.index()] = p.range().start();
    }
    if (topology.isVirtual(f)) {
      return EndpointModel.virtualOfImage(f.config(), bytes, addresses);
    }
    EndpointModel e = EndpointModel.ofImage(f.config(), bytes, devices.registers(f));
    BarDecode.Bars captured = f.bars();
    for (BarModel b : e.bars()) {
      // The register holds the address on the bus, which CPUs may see elsewhere.
      e.placeBar(
          b.index(), captured.at(b.index()).map(BarDecode::address).orElse(addresses[b.index()]));
    }
    ConfigAccess.header(e.config())
        .set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE, 1);
    return e;
  }
}
