package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.DmaPort;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.pcie.BridgeModel;
import dev.doorbell.hw.pcie.BusModel;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.pcie.RootComplexModel;
import dev.doorbell.pci.BridgeRegisters;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology;
import dev.doorbell.pci.Sbdf;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// Builds the PCI functions of one root complex from a description.
final class PciModels {
  /// The last header type that has a model.
  private static final int BRIDGE_HEADER = 1;

  private final HostBridge bridge;
  private final RootComplexModel complex;
  private final PciTopology topology;
  private final Map<Sbdf, BridgeModel> bridges = new HashMap<>();
  private final Map<Sbdf, EndpointModel> endpoints = new HashMap<>();
  private final List<HostBridge.Window> windows;
  private final BarRoom room;

  /// @param windows memory windows; the last one gives room to BARs that the capture has not placed
  PciModels(
      HostBridge bridge, List<HostBridge.Window> windows, DmaPort upstream, PciTopology topology) {
    this.bridge = bridge;
    this.windows = windows;
    this.topology = topology;
    complex =
        new RootComplexModel(bridge.segment(), bridge.firstBus(), bridge.lastBus(), upstream, true);
    room = new BarRoom(windows, bridges.values());
  }

  RootComplexModel complex() {
    return complex;
  }

  Optional<EndpointModel> endpoint(Sbdf sbdf) {
    return Optional.ofNullable(endpoints.get(sbdf));
  }

  /// {@return physical addresses of a memory BAR}
  Optional<AddressRange> bar(Sbdf sbdf, int index) {
    return endpoint(sbdf).stream()
        .flatMap(e -> e.bars().stream())
        .filter(b -> b.index() == index)
        .map(b -> AddressRange.ofSize(b.address(), b.bytes()))
        .flatMap(r -> windows.stream().flatMap(w -> physical(w, r).stream()))
        .findFirst();
  }

  private static Optional<AddressRange> physical(HostBridge.Window w, AddressRange pci) {
    AddressRange window = AddressRange.ofSize(w.pciStart(), w.cpu().bytes());
    long offset = w.cpu().start() - w.pciStart();
    return window.contains(pci)
        ? Optional.of(new AddressRange(pci.start() + offset, pci.last() + offset))
        : Optional.empty();
  }

  /// Puts functions on their buses, bridges before what lies below them. A function whose header was not captured, or is of no type that a
  /// model has (a CardBus bridge's; all ones of a function that slept), is left out: what else the machine has can do without it, and reads
  /// of its configuration space are all ones.
  void build(List<FunctionDescription> functions) {
    List<FunctionDescription> mine =
        functions.stream()
            .filter(d -> bridge.owns(d.sbdf().segment(), d.sbdf().bus()))
            .filter(d -> d.config().size() >= CapabilityLayout.FIRST && isModelled(d.config()))
            .toList();
    for (FunctionDescription d : mine) {
      topology.function(d.sbdf()).filter(PciFunction::isBridge).ifPresent(this::addBridge);
    }
    Map<FunctionDescription, BarPlacement> placements = new LinkedHashMap<>();
    for (FunctionDescription d : mine) {
      topology
          .function(d.sbdf())
          .filter(f -> !f.isBridge())
          .ifPresent(f -> placements.put(d, BarPlacement.of(d, f, pciOffset(d))));
    }
    room.keep(placements.values().stream().flatMap(p -> p.ranges().stream()).toList());
    placements.forEach(
        (d, bars) -> topology.function(d.sbdf()).ifPresent(f -> addEndpoint(d, f, bars)));
  }

  private static boolean isModelled(ConfigSpace config) {
    int type =
        ConfigHeaderLayout.HEADER_LAYOUT.getInt(
            config.read8((int) ConfigHeaderLayout.HEADER_TYPE.offset()));
    return type <= BRIDGE_HEADER;
  }

  private void addBridge(PciFunction f) {
    BridgeModel model;
    try {
      model = BridgeModel.ofImage(f.config());
    } catch (IllegalArgumentException e) {
      throw new UnusableDescription(
          "bridge " + f, String.valueOf(e.getMessage()), Source.rule("config space of " + f));
    }
    bridges.put(f.sbdf(), model);
    busOf(f).add(position(f), model);
  }

  private void addEndpoint(FunctionDescription d, PciFunction f, BarPlacement bars) {
    try {
      addEndpoint(f, bars);
      // It answered whoever captured it.
      if (f.sbdf().device() > 0 && !d.hypothetical()) {
        topology.path(f).stream()
            .limit(1)
            .flatMap(b -> Optional.ofNullable(bridges.get(b.sbdf())).stream())
            .forEach(BridgeModel::takeSeveralDevices);
      }
    } catch (IllegalArgumentException e) {
      throw new UnusableDescription("function " + f, String.valueOf(e.getMessage()), d.source());
    }
  }

  private void addEndpoint(PciFunction f, BarPlacement bars) {
    List<BridgeModel> above = above(f);
    above.forEach(BridgeModel::letPass);
    long[] at = placeAll(f, bars, above);
    EndpointModel model =
        topology.isVirtual(f)
            ? EndpointModel.virtualOfImage(f.config(), bars.bytes(), at)
            : EndpointModel.ofImage(f.config(), bars.bytes(), DemoEndpoint.registers(f));
    endpoints.put(f.sbdf(), model);
    busOf(f).add(position(f), model);
    if (!topology.isVirtual(f)) {
      model.bars().forEach(b -> model.placeBar(b.index(), at[b.index()]));
    }
  }

  private long[] placeAll(PciFunction f, BarPlacement bars, List<BridgeModel> above) {
    long[] at = bars.addresses().clone();
    for (int i = 0; i < at.length; i++) {
      if (bars.bytes()[i] != 0 && at[i] == 0) {
        long bytes = bars.bytes()[i];
        at[i] =
            room.place(bytes, above)
                .orElseThrow(() ->
                    new NotModelled(
                        "a BAR of %d bytes of %s".formatted(bytes, f),
                        "the windows of %s and of the bridges above the function have no room for it"
                            .formatted(bridge.id()),
                        bridge.source()));
      }
    }
    return at;
  }

  /// {@return the models of the bridges above a function, from the root bus downwards}
  private List<BridgeModel> above(PciFunction f) {
    return topology.path(f).reversed().stream()
        .map(b -> bridges.get(b.sbdf()))
        .filter(Objects::nonNull)
        .toList();
  }

  private long pciOffset(FunctionDescription d) {
    for (FunctionDescription.Bar bar : d.resources()) {
      for (HostBridge.Window w : windows) {
        if (!bar.io() && w.cpu().contains(bar.range())) {
          return w.cpu().start() - w.pciStart();
        }
      }
    }
    return 0;
  }

  private BusModel busOf(PciFunction f) {
    if (topology.parent(f) instanceof PciTopology.Parent.Bridge(PciFunction above)) {
      BridgeModel model = bridges.get(above.sbdf());
      if (model != null) {
        return model.below();
      }
    }
    return complex.root();
  }

  private int position(PciFunction f) {
    int first = bridge.firstBus();
    if (topology.parent(f) instanceof PciTopology.Parent.Bridge(PciFunction above)
        && bridges.containsKey(above.sbdf())) {
      first = BridgeRegisters.of(above.config()).secondary();
    }
    return f.sbdf().requesterId() - (first << Byte.SIZE);
  }
}
