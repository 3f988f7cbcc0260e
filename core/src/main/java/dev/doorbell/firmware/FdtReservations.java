package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `iommu-addresses` of `/reserved-memory`: IOVAs that a device needs mapped to themselves, or must not use.
///
/// **Source**: dt-schema `reserved-memory/reserved-memory.yaml`; kinds as Linux `of_iommu_get_resv_regions`: the region's own addresses are direct,
/// others are reserved.
final class FdtReservations {
  private final Draft draft;
  private final FdtTree tree;
  private final FdtAddresses addresses;
  private final Map<FdtNode, String> iommus;
  private final Map<FdtNode, HostBridge> bridges;

  FdtReservations(
      Draft draft,
      FdtTree tree,
      FdtAddresses addresses,
      Map<FdtNode, String> iommus,
      Map<FdtNode, HostBridge> bridges) {
    this.draft = draft;
    this.tree = tree;
    this.addresses = addresses;
    this.iommus = iommus;
    this.bridges = bridges;
  }

  void read() {
    List<FdtNode> regions =
        tree.child(tree.root(), "reserved-memory").map(FdtNode::children).orElse(List.of());
    for (FdtNode region : regions) {
      try {
        if (region.has("iommu-addresses") && region.enabled()) {
          region(region, region.property("iommu-addresses").orElseThrow());
        }
      } catch (MalformedException e) {
        draft.findings.odd(e);
      }
    }
  }

  /// Entries `(phandle of the device, IOVA, size)` in the cells of the device's own bus.
  private void region(FdtNode region, FdtNode.Property p) {
    Optional<AddressRange> memory = addresses.firstRegister(region);
    int at = 0;
    while (at < p.cells()) {
      Optional<FdtNode> device = tree.phandle(p.cell(at));
      if (device.isEmpty()) {
        draft.findings.odd(
            "iommu-addresses of %s has phandle 0x%x, which no node has"
                .formatted(region.path(), p.cell(at)),
            p.source());
        return;
      }
      FdtNode bus = device.get().parent().orElse(device.get());
      int lead = bus.addressCells() == 3 ? 1 : 0;
      int addressCells = bus.addressCells() - lead;
      int sizeCells = bus.sizeCells();
      if (addressCells < 1 || addressCells > 2 || sizeCells < 1 || sizeCells > 2) {
        draft.findings.odd(
            "%s lies on a bus without addresses".formatted(device.get().path()), p.source());
        return;
      }
      long iova = p.number(at + 1 + lead, addressCells);
      long bytes = p.number(at + 1 + lead + addressCells, sizeCells);
      at += 1 + lead + addressCells + sizeCells;
      Optional<AddressRange> range =
          draft.range(iova, bytes, "iommu-addresses of " + region.path(), p.source());
      if (range.isPresent()) {
        ReservedRegion.Kind kind =
            range.equals(memory) ? ReservedRegion.Kind.DIRECT : ReservedRegion.Kind.RESERVED;
        reserve(device.get(), new ReservedRegion(range.get(), kind, p.source()));
      }
    }
  }

  private void reserve(FdtNode device, ReservedRegion region) {
    HostBridge bridge = bridges.get(device);
    Optional<Sbdf> function = FdtBridges.functionOf(tree, device);
    if (function.isPresent()) {
      draft.reserved.add(
          new MachineDescription.Reservation(
              region, List.of(function.get()), Optional.empty(), List.of()));
      return;
    }
    Map<String, List<MachineDescription.StreamRange>> streams =
        bridge == null ? ofDevice(device) : ofBridge(bridge);
    if (streams.isEmpty()) {
      draft.findings.odd(
          "%s has reserved IOVAs and no IOMMU".formatted(device.path()), region.source());
    }
    streams.forEach((iommu, ids) ->
        draft.reserved.add(
            new MachineDescription.Reservation(region, List.of(), Optional.of(iommu), ids)));
  }

  private static Map<String, List<MachineDescription.StreamRange>> ofBridge(HostBridge bridge) {
    Map<String, List<MachineDescription.StreamRange>> out = new LinkedHashMap<>();
    for (HostBridge.StreamMapping s : bridge.streams()) {
      out.computeIfAbsent(s.iommu(), i -> new ArrayList<>())
          .add(
              new MachineDescription.StreamRange(
                  s.firstStreamId(), (int) (s.firstStreamId() + s.count() - 1)));
    }
    return out;
  }

  /// `iommus` of a device that is no PCI function: phandles with `#iommu-cells` cells, of which the first is the StreamID.
  private Map<String, List<MachineDescription.StreamRange>> ofDevice(FdtNode device) {
    Map<String, List<MachineDescription.StreamRange>> out = new LinkedHashMap<>();
    Optional<FdtNode.Property> property = device.property("iommus");
    if (property.isEmpty()) {
      return out;
    }
    FdtNode.Property p = property.get();
    for (int i = 0; i < p.cells(); ) {
      Optional<FdtNode> iommu = tree.phandle(p.cell(i));
      if (iommu.isEmpty()) {
        draft.findings.odd(
            "iommus of %s has phandle 0x%x, which no node has".formatted(device.path(), p.cell(i)),
            p.source());
        break;
      }
      int cells = (int) Math.min(iommu.get().cell("#iommu-cells").orElse(1), 16);
      String id = iommus.get(iommu.get());
      if (id != null && cells >= 1) {
        int stream = (int) p.cell(i + 1);
        out.computeIfAbsent(id, x -> new ArrayList<>())
            .add(new MachineDescription.StreamRange(stream, stream));
      }
      i += 1 + cells;
    }
    return out;
  }
}
