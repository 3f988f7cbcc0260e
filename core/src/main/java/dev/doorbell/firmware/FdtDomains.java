package dev.doorbell.firmware;

import dev.doorbell.description.Arch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeSet;

/// PCI domain numbers that a device tree states.
///
/// **Source**: `pci/pci.txt` (`linux,pci-domain`); for PowerPC Linux 6.12 `get_phb_number`: OPAL's id, an alias `pciN`, or else the second cell of
/// `reg`, of which 16 bits count.
final class FdtDomains {
  private static final long LAST = 0xffff;
  private static final long LAST_BUS = 0xff;
  private static final int MOST_ALIASES = 256;

  private FdtDomains() {}

  /// {@return enabled host bridges and their segments: those that the tree numbers, the others in its order}
  ///
  /// A bridge whose number and buses one before it has gets a number that is free, as in Linux for PowerPC.
  static Map<FdtNode, Integer> segments(FdtTree tree) {
    List<FdtNode> hosts =
        tree.nodes().stream().filter(n -> FdtMachine.isPciHost(n) && n.available()).toList();
    TreeSet<Long> taken = new TreeSet<>();
    hosts.forEach(h -> stated(tree, h).ifPresent(taken::add));
    Map<FdtNode, Integer> out = new LinkedHashMap<>();
    for (FdtNode host : hosts) {
      OptionalLong stated = stated(tree, host);
      long segment = stated.orElse(0);
      if (stated.isEmpty() || segment > Integer.MAX_VALUE || isTaken(out, host, segment)) {
        segment = 0;
        while (!taken.add(segment)) {
          segment++;
        }
      }
      out.put(host, (int) segment);
    }
    return out;
  }

  private static boolean isTaken(Map<FdtNode, Integer> before, FdtNode host, long segment) {
    return before.entrySet().stream()
        .anyMatch(e -> e.getValue() == segment && shareBus(e.getKey(), host));
  }

  private static boolean shareBus(FdtNode a, FdtNode b) {
    return bus(a, 0, 0) <= bus(b, 1, LAST_BUS) && bus(b, 0, 0) <= bus(a, 1, LAST_BUS);
  }

  private static long bus(FdtNode host, int cell, long otherwise) {
    return host.property("bus-range")
        .filter(p -> p.cells() >= 2)
        .map(p -> p.cell(cell))
        .orElse(otherwise);
  }

  /// {@return the domain of a host bridge, if the tree states one}
  static OptionalLong stated(FdtTree tree, FdtNode host) {
    OptionalLong linux = host.cell("linux,pci-domain");
    if (linux.isPresent()) {
      return linux;
    }
    if (host.property("ibm,opal-phbid").filter(p -> p.cells() >= 2).isPresent()) {
      return OptionalLong.of(host.property("ibm,opal-phbid").orElseThrow().number(0, 2) & LAST);
    }
    boolean guest = host.isCompatible("IBM,Logical_PHB");
    if (guest) {
      return host.property("reg")
          .filter(p -> p.cells() >= 2)
          .map(p -> OptionalLong.of(p.cell(1) & LAST))
          .orElse(OptionalLong.empty());
    }
    return FdtArch.of(tree) == Arch.POWERPC ? alias(tree, host) : OptionalLong.empty();
  }

  private static OptionalLong alias(FdtTree tree, FdtNode host) {
    for (int i = 0; i < MOST_ALIASES; i++) {
      String name = "pci" + i;
      if (tree.child(tree.root(), "aliases")
          .flatMap(a -> a.text(name))
          .filter(host.path()::equals)
          .isPresent()) {
        return OptionalLong.of(i);
      }
    }
    return OptionalLong.empty();
  }
}
