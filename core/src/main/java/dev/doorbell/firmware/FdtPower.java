package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// Host bridges of IBM's POWER machines: as OPAL describes them to a host, and as PAPR describes them to a guest.
///
/// **Source**: skiboot `doc/device-tree/pci.rst` and `hw/phb4.c`, `phb4_add_properties`; LoPAPR 1.1, B.6.5.1.1.1 (`ibm,dma-window`), 7.3.10.5
/// (`ibm,change-msi`), R1-B.6.5.1 (`ibm,pe-total-#msi`).
final class FdtPower {
  private static final int MASK = 0xffff;
  private static final int BUS_MASK = 0xff00;
  private static final long LAST_BUS = 0xff;

  /// Runs that are kept of a host bridge: 256 buses, with windows at 16 levels.
  private static final int MOST_RUNS = 0x1000;

  /// Where bus, device and function are in the first cell of a function's `reg`.
  private static final int REG_SHIFT = 8;

  private static final long RIDS = 0x1_0000;

  /// Above these bits of an address are those that say what it is: 60 for a message, 59 for the second window of a PE.
  private static final int IOVA_BITS = 60;

  /// Bytes of the window of POWER9's interrupt controller, which threads' contexts follow.
  private static final long XIVE_BYTES = 0x8_0000;

  /// Bytes of the window of POWER10's, and how far behind its start threads find their contexts.
  private static final long XIVE2_BYTES = 0x200_0000;

  private static final long XIVE2_CONTEXTS = 0x318_0000;

  private static final int MOST_PES = 0x1_0000;
  private static final long MOST_MESSAGES = 0x10_0000;

  private final Draft draft;
  private final FdtTree tree;
  private final FdtAddresses addresses;
  private final FdtExploitation exploitation;

  FdtPower(Draft draft, FdtTree tree, FdtAddresses addresses) {
    this.draft = draft;
    this.tree = tree;
    this.addresses = addresses;
    exploitation = new FdtExploitation(draft, tree, addresses);
  }

  /// {@return the identities of a host bridge's functions}
  FdtPaths paths(FdtNode node, String bridge) {
    if (node.isCompatible("ibm,ioda2-phb", "ibm,ioda3-phb")) {
      return new FdtPaths(phb(node, bridge), messages(node, bridge));
    }
    if (node.isCompatible("IBM,Logical_PHB") || node.has("ibm,dma-window")) {
      return new FdtPaths(windows(node, bridge), guest(node, bridge));
    }
    node.compatible().stream()
        .filter(c -> c.startsWith("ibm,ioda"))
        .findFirst()
        .ifPresent(kind -> unread(node, bridge, kind));
    return FdtPaths.NONE;
  }

  /// NVLink's and OpenCAPI's bridges (NPU), whose functions stand for the links of others, and those before IODA2.
  private void unread(FdtNode node, String bridge, String kind) {
    draft.findings.unseen(
        "PEs and messages of " + bridge,
        "%s is %s, whose tables Doorbell does not know".formatted(node.path(), kind),
        "its functions are taken to have neither IOMMU nor MSI controller",
        EnumSet.allOf(Unseen.Hidden.class));
  }

  /// Before OPAL's own drivers have run, the tree has the pieces of the bridges and not the bridges.
  void finish() {
    List<FdtNode> pieces =
        tree.nodes().stream()
            .filter(n ->
                n.isCompatible("ibm,power8-pbcq", "ibm,power9-pbcq", "ibm,power10-pbcq")
                    && n.available())
            .toList();
    if (!pieces.isEmpty() && tree.nodes().stream().noneMatch(n -> n.has("ibm,opal-phbid"))) {
      draft.findings.unseen(
          "PCI host bridges",
          "the tree has %d `pbcq` nodes (%s the first) and no `pciex@` node: it is as it was before OPAL had started its bridges"
              .formatted(pieces.size(), pieces.getFirst().path()),
          "which PEs, windows and interrupts functions have is not known",
          EnumSet.allOf(Unseen.Hidden.class));
    }
  }

  /// {@return the window of 64-bit BARs, which OPAL does not put into `ranges`: CPU address, bus address, bytes}
  static Optional<HostBridge.Window> window64(FdtNode node, Draft draft) {
    return node.property("ibm,opal-m64-window")
        .filter(p -> p.cells() >= 6)
        .flatMap(p ->
            draft
                .range(
                    p.number(0, 2),
                    p.number(4, 2),
                    "ibm,opal-m64-window of " + node.path(),
                    p.source())
                .map(cpu -> new HostBridge.Window(cpu, p.number(2, 2), false, true, p.source())));
  }

  private List<HostBridge.StreamMapping> phb(FdtNode node, String bridge) {
    String kind = generation(node);
    String id = draft.unique(kind.toLowerCase(Locale.ROOT) + "@" + bridge);
    draft.iommus.add(
        new IommuDescription.Phb(
            id,
            kind,
            addresses.firstRegister(node),
            small(node, "ibm,opal-num-pes", MOST_PES),
            small(node, "ibm,opal-reserved-pe", MOST_PES),
            new IommuDescription.Abilities(
                OptionalInt.of(IOVA_BITS),
                OptionalInt.of(IOVA_BITS),
                pageSizes(node),
                Optional.of(Source.rule("IODA, TVE selection by address bits 60:59"))),
            node.source()));
    return List.of(new HostBridge.StreamMapping(MASK, 0, RIDS, id, 0, node.source()));
  }

  private static String generation(FdtNode node) {
    if (node.isCompatible("ibm,power10-pciex")) {
      return "PHB5";
    }
    return node.isCompatible("ibm,ioda3-phb") ? "PHB4" : "PHB3";
  }

  private List<Granule> pageSizes(FdtNode node) {
    List<Granule> out = new ArrayList<>();
    Optional<FdtNode.Property> sizes = node.property("ibm,supported-tce-sizes");
    for (int i = 0; i < sizes.map(FdtNode.Property::cells).orElse(0); i++) {
      long shift = sizes.orElseThrow().cell(i);
      if (shift >= Granule.K4.shift() && shift <= 30) {
        out.add(new Granule((int) shift));
      }
    }
    return out.isEmpty() ? List.of(Granule.K4) : out.stream().sorted().distinct().toList();
  }

  private OptionalInt small(FdtNode node, String property, long most) {
    OptionalLong value = node.cell(property);
    if (value.isPresent() && value.getAsLong() > most) {
      draft.findings.odd(
          "%s of %s is 0x%x".formatted(property, node.path(), value.getAsLong()), node.source());
      return OptionalInt.empty();
    }
    return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
  }

  private List<HostBridge.MsiMapping> messages(FdtNode node, String bridge) {
    Optional<FdtNode.Property> ranges =
        node.property("ibm,opal-msi-ranges").filter(p -> p.cells() >= 2);
    if (ranges.isEmpty()) {
      draft.findings.unseen(
          "messages of " + bridge,
          node.path() + " has no ibm,opal-msi-ranges",
          "its functions are taken to have no MSI controller");
      return List.of();
    }
    long first = ranges.get().cell(0);
    long count = ranges.get().cell(1);
    if (count == 0 || count > MOST_MESSAGES) {
      draft.findings.odd(
          "ibm,opal-msi-ranges of %s has 0x%x messages from 0x%x"
              .formatted(node.path(), count, first),
          ranges.get().source());
      return List.of();
    }
    boolean xive = tree.nodes().stream().anyMatch(n -> n.isCompatible("ibm,opal-xive-vc"));
    String kind = "%s MSI (%s)".formatted(generation(node), xive ? "XIVE" : "XICS");
    String id = draft.unique("msi@" + bridge);
    draft.msiControllers.add(
        new MsiControllerDescription.PhbMsi(
            id,
            kind,
            first,
            (int) count,
            xive ? addresses.registers(node).stream().skip(1).findFirst() : Optional.empty(),
            xive ? controller() : Optional.empty(),
            threads(),
            xive ? List.of() : servers(),
            ranges.get().source()));
    return List.of(new HostBridge.MsiMapping(MASK, 0, RIDS, List.of(id), 0, ranges.get().source()));
  }

  private List<Long> threads() {
    List<Long> out = new ArrayList<>();
    for (FdtNode cpu : tree.child(tree.root(), "cpus").map(FdtNode::children).orElse(List.of())) {
      Optional<FdtNode.Property> servers = cpu.property("ibm,ppc-interrupt-server#s");
      for (int i = 0; i < servers.map(FdtNode.Property::cells).orElse(0); i++) {
        out.add(servers.orElseThrow().cell(i));
      }
    }
    return out;
  }

  /// {@return presentation controllers, those of threads first and in their order}
  private List<MsiControllerDescription.PhbMsi.Server> servers() {
    Map<Long, AddressRange> pages = new LinkedHashMap<>();
    for (FdtNode n : tree.nodes()) {
      Optional<FdtNode.Property> range =
          n.property("ibm,interrupt-server-ranges").filter(p -> p.cells() >= 2);
      if (n.isCompatible("IBM,ppc-xicp") && range.isPresent()) {
        List<AddressRange> registers = addresses.registers(n);
        long count = Math.min(range.get().cell(1), registers.size());
        for (int i = 0; i < count; i++) {
          pages.putIfAbsent(range.get().cell(0) + i, registers.get(i));
        }
      }
    }
    List<Long> order = new ArrayList<>(threads());
    order.retainAll(pages.keySet());
    pages.keySet().stream().filter(s -> !order.contains(s)).forEach(order::add);
    return order.stream()
        .distinct()
        .map(s ->
            new MsiControllerDescription.PhbMsi.Server(s, Objects.requireNonNull(pages.get(s))))
        .toList();
  }

  /// The tree tells where threads find their contexts (TIMA). The controller's own window lies at a distance before them (skiboot `hw/phys-map.c`).
  private Optional<AddressRange> controller() {
    if (tree.nodes().stream().anyMatch(n -> n.isCompatible("ibm,power9-xive-x"))) {
      return before(XIVE_BYTES, XIVE_BYTES);
    }
    return tree.nodes().stream().anyMatch(n -> n.isCompatible("ibm,power10-xive-x"))
        ? before(XIVE2_CONTEXTS, XIVE2_BYTES)
        : Optional.empty();
  }

  private Optional<AddressRange> before(long distance, long bytes) {
    return tree.nodes().stream()
        .filter(n -> n.isCompatible("ibm,opal-xive-pe"))
        .flatMap(n -> addresses.firstRegister(n).stream())
        .filter(tima -> Long.compareUnsigned(tima.start(), distance) >= 0)
        .map(tima -> AddressRange.ofSize(tima.start() - distance, bytes))
        .findFirst();
  }

  /// A host bridge's own window, and those of bridges and functions below it, which come first.
  private List<HostBridge.StreamMapping> windows(FdtNode node, String bridge) {
    List<HostBridge.StreamMapping> out = new ArrayList<>();
    Deque<FdtNode> below = new ArrayDeque<>(node.children());
    while (!below.isEmpty()) {
      FdtNode n = below.removeFirst();
      below.addAll(n.children());
      if (n.has("ibm,dma-window")) {
        window(n, "tce@%s/%s".formatted(bridge, n.name())).ifPresent(w -> out.addAll(behind(n, w)));
      }
      if (out.size() > MOST_RUNS) {
        draft.findings.odd(
            "more than %d runs of requester ids below %s have DMA windows: the others are not read"
                .formatted(MOST_RUNS, node.path()),
            n.source());
        break;
      }
    }
    Collections.reverse(out);
    if (out.isEmpty() || node.has("ibm,dma-window")) {
      window(node, "tce@" + bridge)
          .ifPresent(w ->
              out.add(new HostBridge.StreamMapping(0, 0, 1, w.id(), (int) w.liobn(), w.source())));
    }
    return out;
  }

  /// {@return the requester ids of what is behind a bridge, bus by bus, or of a function}
  private static List<HostBridge.StreamMapping> behind(
      FdtNode node, IommuDescription.PaprTce window) {
    Optional<FdtNode.Property> buses = node.property("bus-range").filter(p -> p.cells() >= 2);
    List<HostBridge.StreamMapping> out = new ArrayList<>();
    if (buses.isPresent()) {
      long last = Math.min(buses.get().cell(1), LAST_BUS);
      for (long bus = buses.get().cell(0); bus <= last; bus++) {
        out.add(of(BUS_MASK, (int) bus << Byte.SIZE, window));
      }
      return out;
    }
    node.property("reg")
        .filter(p -> p.cells() >= 1)
        .ifPresent(p -> out.add(of(MASK, (int) (p.cell(0) >>> REG_SHIFT) & MASK, window)));
    return out;
  }

  private static HostBridge.StreamMapping of(int mask, int rid, IommuDescription.PaprTce window) {
    return new HostBridge.StreamMapping(
        mask, rid, 1, window.id(), (int) window.liobn(), window.source());
  }

  /// `(LIOBN, first IOVA, bytes)` in the cells that the node states. All functions below share it.
  private Optional<IommuDescription.PaprTce> window(FdtNode node, String name) {
    Optional<FdtNode.Property> property = node.property("ibm,dma-window");
    int addressCells = Math.clamp(node.cell("ibm,#dma-address-cells").orElse(1), 1, 2);
    int sizeCells = Math.clamp(node.cell("ibm,#dma-size-cells").orElse(1), 1, 2);
    int needed = 1 + addressCells + sizeCells;
    if (property.isEmpty() || property.get().cells() < needed) {
      draft.findings.unseen(
          "the DMA window of " + name.substring(name.indexOf('@') + 1),
          property
              .map(p ->
                  "ibm,dma-window of %s has %d cells and needs %d"
                      .formatted(node.path(), p.cells(), needed))
              .orElse(node.path() + " has no ibm,dma-window"),
          "what is between its functions and memory is not known",
          EnumSet.of(Unseen.Hidden.IOMMUS));
      return Optional.empty();
    }
    FdtNode.Property p = property.get();
    return draft
        .range(
            p.number(1, addressCells),
            p.number(1 + addressCells, sizeCells),
            "ibm,dma-window of " + node.path(),
            p.source())
        .map(range -> {
          int bits = Long.SIZE - Long.numberOfLeadingZeros(range.last());
          IommuDescription.PaprTce window =
              new IommuDescription.PaprTce(
                  draft.unique(name),
                  p.cell(0),
                  range,
                  node.has("ibm,ddw-applicable"),
                  new IommuDescription.Abilities(
                      OptionalInt.of(bits),
                      OptionalInt.empty(),
                      List.of(Granule.K4),
                      Optional.of(p.source())),
                  p.source());
          draft.iommus.add(window);
          return window;
        });
  }

  /// {@return the 64 bits by which calls name a host bridge}
  private static OptionalLong buid(FdtNode node) {
    return node.property("reg")
        .filter(p -> p.cells() >= 2)
        .map(p -> OptionalLong.of(p.number(0, 2)))
        .orElse(OptionalLong.empty());
  }

  private List<HostBridge.MsiMapping> guest(FdtNode node, String bridge) {
    OptionalInt quota = small(node, "ibm,pe-total-#msi", MOST_MESSAGES);
    Source source =
        node.property("ibm,pe-total-#msi").map(FdtNode.Property::source).orElse(node.source());
    String id = draft.unique("msi@" + bridge);
    draft.msiControllers.add(
        new MsiControllerDescription.PaprMsi(
            id, buid(node), quota, threads(), exploitation.read(), source));
    return List.of(new HostBridge.MsiMapping(MASK, 0, RIDS, List.of(id), 0, source));
  }
}
