package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Trees of ports, switches, bridges and functions that no capture has, against the search of the kernel written down a second time:
/// function by function in the order of a scan, each taking the first group that it finds.
///
/// **Source**: Linux 6.12 `drivers/iommu/iommu.c` `pci_device_group`, `drivers/pci/search.c` `pci_for_each_dma_alias`, `drivers/pci/pci.c`
/// `pci_acs_enabled`
@DisplayName("Linux pci_device_group: groups of trees made at random are those of its search")
class GroupsPropertyTest {
  private static final int SERVICES = 0x1d;
  private static final int EGRESS = 0x20;
  private static final int DEEPEST = 4;
  private static final int LAST_BUS = 60;

  /// A function, as the reference sees it.
  private static final class Node {
    final int bus;
    final int device;
    final int function;
    final @Nullable Node parent;
    final @Nullable PortType type;
    final boolean multi;
    final boolean bridge;
    final int @Nullable [] acs;
    int secondary;
    int subordinate;
    @Nullable Set<String> group;

    Node(
        int[] at,
        @Nullable Node parent,
        @Nullable PortType type,
        boolean bridge,
        int @Nullable [] acs) {
      this.bus = at[0];
      this.device = at[1];
      this.function = at[2];
      this.multi = at[3] > 1;
      this.parent = parent;
      this.type = type;
      this.bridge = bridge;
      this.acs = acs;
    }

    String sbdf() {
      return "0000:%02x:%02x.%x".formatted(bus, device, function);
    }

    private boolean services() {
      if (acs == null) {
        return false;
      }
      int wanted = SERVICES & (acs[0] | EGRESS);
      return (acs[1] & wanted) == wanted;
    }

    boolean keepsApart() {
      if (type == null || type == PortType.PCIE_TO_PCI_BRIDGE) {
        return false;
      }
      boolean downstream = type == PortType.ROOT_PORT || type == PortType.DOWNSTREAM_PORT;
      return downstream || multi ? services() : true;
    }

    boolean pathKeepsApart() {
      return keepsApart() && (parent == null || parent.pathKeepsApart());
    }

    PciFunction seen() {
      SpaceBuilder b =
          bridge ? SpaceBuilder.bridge(bus, secondary, subordinate) : SpaceBuilder.endpoint();
      if (multi) {
        b.multiFunction();
      }
      if (type != null) {
        b.express(type);
      }
      if (acs != null) {
        b.acs(acs[0], acs[1]);
      }
      return PciFunction.of(Sbdf.parse(sbdf()), b.image(), sbdf());
    }
  }

  /// Makes a tree, buses numbered as a scan does.
  private static final class Tree {
    final List<Node> nodes = new ArrayList<>();
    private final SeededRandom random;
    private int buses;

    Tree(SeededRandom random) {
      this.random = random;
      fill(0, null, 0);
    }

    private int @Nullable [] acs() {
      return switch (random.below(6)) {
        case 0, 1 -> null;
        case 2, 3 -> new int[] {0x1f | random.pick(List.of(0, EGRESS)), SERVICES};
        case 4 -> new int[] {0x1f, random.below(0x20)};
        default -> new int[] {random.below(0x20), random.below(0x20)};
      };
    }

    private void fill(int bus, @Nullable Node parent, int depth) {
      int first = nodes.size();
      boolean oneSlot =
          parent != null
              && (parent.type == PortType.ROOT_PORT || parent.type == PortType.DOWNSTREAM_PORT);
      Set<Integer> devices = new TreeSet<>(List.of(oneSlot ? 0 : random.below(32)));
      for (int i = random.below(3); i > 0 && !oneSlot; i--) {
        devices.add(random.below(32));
      }
      devices.forEach(d -> slot(bus, d, parent, depth));
      for (Node n : List.copyOf(nodes.subList(first, nodes.size()))) {
        if (n.bridge) {
          n.secondary = ++buses;
          if (buses < LAST_BUS) {
            fill(n.secondary, n, depth + 1);
          }
          n.subordinate = buses;
        }
      }
    }

    private void slot(int bus, int device, @Nullable Node parent, int depth) {
      int count = random.oneIn(3) ? random.between(2, 3) : 1;
      Set<Integer> functions = new TreeSet<>(List.of(0));
      while (functions.size() < count) {
        functions.add(random.between(1, 7));
      }
      for (int f : functions) {
        PortType type = type(parent, depth);
        boolean conventional = type == null;
        boolean bridge =
            conventional
                ? depth < DEEPEST && random.oneIn(4)
                : type != PortType.ENDPOINT
                    && type != PortType.LEGACY_ENDPOINT
                    && type != PortType.ROOT_COMPLEX_ENDPOINT;
        int[] at = {bus, device, f, count};
        boolean none = conventional || type == PortType.PCIE_TO_PCI_BRIDGE;
        nodes.add(new Node(at, parent, type, bridge, none ? null : acs()));
      }
    }

    /// {@return what may stand there; null for a function of conventional PCI}
    private @Nullable PortType type(@Nullable Node parent, int depth) {
      if (parent == null) {
        return random.oneIn(5)
            ? null
            : random.pick(List.of(PortType.ROOT_PORT, PortType.ROOT_COMPLEX_ENDPOINT));
      }
      if (parent.type == null || parent.type == PortType.PCIE_TO_PCI_BRIDGE) {
        return null;
      }
      if (parent.type == PortType.UPSTREAM_PORT) {
        return PortType.DOWNSTREAM_PORT;
      }
      if (depth >= DEEPEST || random.nextBoolean()) {
        return random.pick(List.of(PortType.ENDPOINT, PortType.LEGACY_ENDPOINT));
      }
      return random.pick(List.of(PortType.UPSTREAM_PORT, PortType.PCIE_TO_PCI_BRIDGE));
    }
  }

  /// The kernel's search.
  private record Search(List<Node> nodes) {
    void run() {
      for (Node n : nodes) {
        Set<String> found = found(n);
        Set<String> group = found == null ? new TreeSet<>() : found;
        group.add(n.sbdf());
        n.group = group;
      }
    }

    private @Nullable Set<String> found(Node n) {
      Node last = n;
      for (Node up = n.parent; up != null; up = up.parent) {
        if (up.type == null || up.type == PortType.PCIE_TO_PCI_BRIDGE) {
          last = up;
          if (up.group != null) {
            return up.group;
          }
        }
      }
      for (Node up = last.parent; up != null && !up.pathKeepsApart(); up = up.parent) {
        last = up;
        if (up.group != null) {
          return up.group;
        }
      }
      return last.group != null ? last.group : ofItsDevice(last);
    }

    private @Nullable Set<String> ofItsDevice(Node n) {
      if (!n.multi || n.keepsApart()) {
        return null;
      }
      return nodes.stream()
          .filter(t -> t != n && t.bus == n.bus && t.device == n.device && !t.keepsApart())
          .filter(t -> t.group != null)
          .findFirst()
          .map(t -> t.group)
          .orElse(null);
    }
  }

  @Test
  @DisplayName("300 trees, of up to some hundred functions")
  void trees() {
    TreeMap<Integer, Integer> sizes = new TreeMap<>();
    Property.check(
        "pci_device_group",
        300,
        random -> {
          List<Node> nodes = new Tree(random).nodes;
          new Search(nodes).run();
          Set<Set<String>> linux = new HashSet<>();
          nodes.forEach(n -> linux.add(n.group));
          Set<Set<String>> derived = new HashSet<>();
          PciTopology topology = PciTopology.of(nodes.stream().map(Node::seen).toList());
          Groups.derive(topology, AcsAssumption.AS_CAPTURED)
              .forEach(g ->
                  derived.add(new TreeSet<>(g.functions().stream().map(Sbdf::toString).toList())));
          assertEquals(linux, derived);
          sizes.merge(nodes.size(), 1, Integer::sum);
        });
    assertTrue(sizes.lastKey() >= 20 && sizes.size() > 10, sizes::toString);
  }
}
