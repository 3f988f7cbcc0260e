package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// Root complexes of a device-tree machine with their id mappings and windows.
///
/// **Source**: the bindings `pci/pci-iommu.txt`, `pci/pci-msi.txt`, `pci/host-generic-pci.yaml` and dt-schema's `pci-bus-common.yaml`; where they are
/// silent, Linux (`of_map_id`, `of_msi_get_domain`).
final class FdtBridges {
  private static final int MASK = 0xffff;
  private static final int MAP_ENTRY = 4;
  private static final long RIDS = 0x1_0000;
  private static final int MAX_RUNS = 16_384;

  private final Draft draft;
  private final FdtTree tree;
  private final FdtAddresses addresses;
  private final FdtOwners owners;
  private final Map<FdtNode, String> iommus;
  private final Map<FdtNode, String> controllers;
  private final Map<FdtNode, HostBridge> bridges = new LinkedHashMap<>();

  FdtBridges(Draft draft, FdtTree tree, FdtAddresses addresses, FdtOwners owners) {
    this.draft = draft;
    this.tree = tree;
    this.addresses = addresses;
    this.owners = owners;
    this.iommus = owners.iommus();
    this.controllers = owners.controllers();
  }

  void compose() {
    List<String> off =
        tree.nodes().stream()
            .filter(n -> FdtMachine.isPciHost(n) && !n.available())
            .map(FdtNode::path)
            .toList();
    if (!off.isEmpty()) {
      draft.findings.unseen(
          "the host bridges " + String.join(", ", off),
          "their nodes are not enabled (status); a boot loader may have enabled them",
          "they are left out");
    }
    tree.segments()
        .forEach((node, segment) -> {
          if (FdtDomains.stated(tree, node).orElse(segment) != segment) {
            draft.findings.odd(
                "%s has the PCI domain 0x%x, which is too large, or that of a bridge before it that has its buses: it is numbered 0x%x"
                    .formatted(node.path(), FdtDomains.stated(tree, node).getAsLong(), segment),
                node.source());
          }
          try {
            HostBridge bridge = bridge(node, segment);
            draft.hostBridges.add(bridge);
            bridges.put(node, bridge);
          } catch (MalformedException e) {
            draft.findings.odd(e);
            draft.findings.unseen(
                "the host bridge " + node.path(),
                "its node is malformed",
                "its functions' ids are not known");
          }
        });
  }

  void reservations() {
    new FdtReservations(draft, tree, addresses, iommus, bridges).read();
  }

  /// {@return the PCI function that a node below a host bridge describes}
  static Optional<Sbdf> functionOf(FdtTree tree, FdtNode node) {
    Optional<FdtNode.Property> reg = node.property("reg");
    FdtNode host = node;
    while (!FdtMachine.isPciHost(host)) {
      if (host.parent().isEmpty()) {
        return Optional.empty();
      }
      host = host.parent().get();
    }
    Integer segment = tree.segments().get(host);
    if (host == node || segment == null || reg.isEmpty() || reg.get().cells() < 1) {
      return Optional.empty();
    }
    long hi = reg.get().cell(0);
    return Optional.of(
        new Sbdf(
            segment,
            FdtLayout.BUS.getInt(hi),
            FdtLayout.DEVICE.getInt(hi),
            FdtLayout.FUNCTION.getInt(hi)));
  }

  private HostBridge bridge(FdtNode node, int segment) {
    int first = 0;
    int last = 255;
    Optional<FdtNode.Property> buses = node.property("bus-range");
    if (buses.isPresent() && buses.get().cells() >= 2) {
      long from = buses.get().cell(0);
      long to = buses.get().cell(1);
      if (from > to || to > 255) {
        draft.findings.odd(
            "bus-range of %s is 0x%x to 0x%x".formatted(node.path(), from, to),
            buses.get().source());
      } else {
        first = (int) from;
        last = (int) to;
      }
    }
    String id = draft.unique(String.format(Locale.ROOT, "pci%04x:%02x", segment, first));
    FdtPaths own = owners.paths(node, id);
    return new HostBridge(
        id,
        segment,
        first,
        last,
        node.isCompatible("pci-host-ecam-generic")
            ? addresses.firstRegister(node)
            : Optional.empty(),
        own.streams().isEmpty() ? streams(node, segment) : own.streams(),
        own.msis().isEmpty() ? msis(node, id) : own.msis(),
        windows(node, segment, first),
        dmaRanges(node, id),
        OptionalInt.empty(),
        node.source());
  }

  private List<HostBridge.Window> windows(FdtNode node, int segment, int bus) {
    List<HostBridge.Window> out = new ArrayList<>();
    for (FdtAddresses.BusWindow w : addresses.windows(node)) {
      out.add(new HostBridge.Window(w.cpu(), w.busStart(), w.io(), w.prefetchable(), w.source()));
    }
    FdtPower.window64(node, draft).ifPresent(out::add);
    if (out.isEmpty()) {
      draft
          .ioMemory
          .windows(segment, bus)
          .forEach(l ->
              out.add(
                  new HostBridge.Window(l.range(), l.range().start(), false, false, l.source())));
    }
    return out;
  }

  private List<AddressRange> dmaRanges(FdtNode node, String id) {
    List<FdtAddresses.BusWindow> windows = addresses.dmaWindows(node);
    if (windows.stream().anyMatch(w -> w.busStart() != w.cpu().start())) {
      draft.findings.unseen(
          "bus addresses of DMA below " + id,
          "dma-ranges of %s, or of a bus above it, shift them, and this version keeps CPU addresses only"
              .formatted(node.path()),
          "addresses that devices emit differ from those shown where no IOMMU translates");
    }
    return windows.stream().map(FdtAddresses.BusWindow::cpu).toList();
  }

  /// One entry of an id map.
  private record Entry(
      long first,
      FdtNode target,
      long out,
      long length,
      int mask,
      FdtNode.Property property,
      int cell) {
    dev.doorbell.explain.Source source() {
      return property.blob().source(property.at() + (long) cell * FdtNode.CELL);
    }
  }

  /// Entries `(first id, phandle, first output id, length)`.
  private List<Entry> map(FdtNode node, String name) {
    List<Entry> out = new ArrayList<>();
    Optional<FdtNode.Property> property = node.property(name);
    if (property.isEmpty()) {
      return out;
    }
    FdtNode.Property p = property.get();
    int mask = (int) node.cell(name + "-mask").orElse(MASK) & MASK;
    if (p.cells() % MAP_ENTRY != 0) {
      draft.findings.odd(
          "%s of %s has %d cells, no multiple of 4".formatted(name, node.path(), p.cells()),
          p.source());
    }
    for (int i = 0; i + MAP_ENTRY <= p.cells() && out.size() < MAX_RUNS; i += MAP_ENTRY) {
      long phandle = p.cell(i + 1);
      Optional<FdtNode> target = tree.phandle(phandle);
      Entry e = new Entry(p.cell(i), target.orElse(node), p.cell(i + 2), p.cell(i + 3), mask, p, i);
      String what = "%s entry %d of %s".formatted(name, i / MAP_ENTRY, node.path());
      if (phandle == 0) {
        draft.findings.odd(
            what + " has phandle 0: it waits for a boot loader to fill it in", e.source());
      } else if (target.isEmpty()) {
        draft.findings.odd(
            "%s has phandle 0x%x, which no node has".formatted(what, phandle), e.source());
      } else if (e.length == 0) {
        draft.findings.odd(what + " has length 0", e.source());
      } else if ((e.first & ~(long) mask) != 0) {
        draft.findings.odd(
            "%s begins at id 0x%x, outside the mask 0x%x".formatted(what, e.first, mask),
            e.source());
      } else if (e.out + e.length - 1 > 0xffff_ffffL) {
        draft.findings.odd(what + " leads past 32 bits", e.source());
      } else {
        out.add(e);
      }
    }
    overlaps(out, name, node);
    return out;
  }

  private void overlaps(List<Entry> entries, String name, FdtNode node) {
    List<Entry> sorted =
        entries.stream().sorted(java.util.Comparator.comparingLong(Entry::first)).toList();
    for (int i = 1; i < sorted.size(); i++) {
      Entry before = sorted.get(i - 1);
      if (before.first + before.length > sorted.get(i).first) {
        draft.findings.harmless(
            "%s of %s maps id 0x%x twice; the first entry counts"
                .formatted(name, node.path(), sorted.get(i).first),
            sorted.get(i).source());
      }
    }
  }

  private List<HostBridge.StreamMapping> streams(FdtNode node, int segment) {
    List<HostBridge.StreamMapping> out = new ArrayList<>();
    for (Entry e : map(node, "iommu-map")) {
      String iommu = iommus.get(e.target);
      if (iommu == null) {
        if (e.target.available()) {
          draft.findings.odd(
              "iommu-map of %s leads to %s, which is no IOMMU"
                  .formatted(node.path(), e.target.path()),
              e.source());
        }
        continue;
      }
      int self = self(iommu, segment);
      long end = Math.min(e.length, RIDS - e.first);
      if (self >= e.first && self < e.first + end && e.mask == MASK) {
        add(out, e, e.first, self - e.first, iommu);
        add(out, e, self + 1L, e.first + end - self - 1, iommu);
      } else {
        add(out, e, e.first, end, iommu);
      }
    }
    if (out.isEmpty() && node.has("iommus") && !node.has("iommu-map")) {
      draft.findings.unseen(
          "StreamIDs of functions below " + node.path(),
          "the node has `iommus` for itself and no `iommu-map` for its functions",
          "its functions are taken to have no IOMMU");
    }
    return out;
  }

  private static void add(
      List<HostBridge.StreamMapping> out, Entry e, long first, long count, String iommu) {
    if (count > 0) {
      out.add(
          new HostBridge.StreamMapping(
              e.mask, (int) first, count, iommu, (int) (e.out + (first - e.first)), e.source()));
    }
  }

  /// {@return the requester id of an IOMMU in this segment that is a PCI function and does not translate itself, or -1}
  private int self(String iommu, int segment) {
    return draft.iommus.stream()
        .filter(i -> i.id().equals(iommu))
        .flatMap(i -> i.ownFunction().stream())
        .map(Sbdf::parse)
        .filter(s -> s.segment() == segment)
        .mapToInt(Sbdf::requesterId)
        .findFirst()
        .orElse(-1);
  }

  private List<HostBridge.MsiMapping> msis(FdtNode node, String bridge) {
    List<HostBridge.MsiMapping> out = new ArrayList<>();
    for (Entry e : map(node, "msi-map")) {
      String controller = controllers.get(e.target);
      if (controller != null) {
        long count = Math.min(e.length, RIDS - e.first);
        out.add(
            new HostBridge.MsiMapping(
                e.mask, (int) e.first, count, List.of(controller), (int) e.out, e.source()));
      } else if (e.target.available()) {
        draft.findings.odd(
            "msi-map of %s leads to %s, which is no MSI controller%s"
                .formatted(node.path(), e.target.path(), FdtRiscv.whose(e.target)),
            e.source());
      }
    }
    // Ids that a map leaves out have the parent, as themselves (Linux `pci_set_msi_domain`).
    Optional<FdtNode.Property> parents = node.property("msi-parent");
    if (parents.isPresent()) {
      List<String> all = parents(parents.get(), node, bridge);
      if (!all.isEmpty()) {
        out.add(new HostBridge.MsiMapping(MASK, 0, RIDS, all, 0, parents.get().source()));
      }
    } else if (!node.has("msi-map")) {
      own(node, bridge)
          .ifPresent(own ->
              out.add(new HostBridge.MsiMapping(MASK, 0, RIDS, List.of(own), 0, node.source())));
    }
    return out;
  }

  /// Controllers of `msi-parent`, each phandle followed by the controller's `#msi-cells` cells, which PCI does not use.
  private List<String> parents(FdtNode.Property p, FdtNode node, String bridge) {
    List<String> out = new ArrayList<>();
    for (int i = 0; i < p.cells(); i++) {
      Optional<FdtNode> target = tree.phandle(p.cell(i));
      if (target.isEmpty()) {
        draft.findings.odd(
            "msi-parent of %s has phandle 0x%x, which no node has"
                .formatted(node.path(), p.cell(i)),
            p.source());
        break;
      }
      String id =
          target.get() == node ? own(node, bridge).orElse(null) : controllers.get(target.get());
      if (id != null && !out.contains(id)) {
        out.add(id);
      } else if (id == null && target.get().available()) {
        draft.findings.odd(
            "msi-parent of %s is %s, which is no MSI controller%s"
                .formatted(node.path(), target.get().path(), FdtRiscv.whose(target.get())),
            p.source());
      }
      i += (int) Math.min(target.get().cell("#msi-cells").orElse(0), 16);
    }
    return out;
  }

  /// A host bridge that is its own MSI controller: says so, or has an interrupt named `msi`.
  private Optional<String> own(FdtNode node, String bridge) {
    boolean msi =
        node.has("msi-controller")
            || node.texts("interrupt-names").stream().anyMatch(n -> n.startsWith("msi"));
    if (!msi) {
      return Optional.empty();
    }
    String id = controllers.get(node);
    if (id == null) {
      String kind = node.compatible().stream().findFirst().orElse("PCI host bridge");
      id = draft.unique("msi@" + bridge);
      draft.msiControllers.add(
          new MsiControllerDescription.Other(
              id,
              kind + " (host bridge)",
              OptionalLong.empty(),
              Optional.empty(),
              OptionalInt.empty(),
              node.source()));
      controllers.put(node, id);
    }
    return Optional.of(id);
  }
}
