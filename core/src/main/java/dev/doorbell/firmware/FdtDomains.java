package dev.doorbell.firmware;

import dev.doorbell.description.Arch;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    Map<Long, BitSet> busesOf = new HashMap<>();
    long free = 0;
    for (FdtNode host : hosts) {
      OptionalLong stated = stated(tree, host);
      long segment = stated.orElse(0);
      BitSet before = busesOf.computeIfAbsent(segment, _ -> new BitSet());
      BitSet own = buses(host);
      if (stated.isEmpty() || segment > Integer.MAX_VALUE || before.intersects(own)) {
        while (!taken.add(free)) {
          free++;
        }
        segment = free;
      } else {
        before.or(own);
      }
      out.put(host, (int) segment);
    }
    return out;
  }

  /// {@return a host bridge's buses: all where its bus-range is missing or makes no sense}
  private static BitSet buses(FdtNode host) {
    BitSet out = new BitSet();
    Optional<FdtNode.Property> range = host.property("bus-range").filter(p -> p.cells() >= 2);
    long first = range.map(p -> p.cell(0)).orElse(0L);
    long last = range.map(p -> p.cell(1)).orElse(LAST_BUS);
    boolean sound = first <= last && last <= LAST_BUS;
    out.set(sound ? (int) first : 0, (int) (sound ? last : LAST_BUS) + 1);
    return out;
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
    Optional<FdtNode> aliases = tree.child(tree.root(), "aliases");
    for (int i = 0; i < MOST_ALIASES; i++) {
      String name = "pci" + i;
      if (aliases.flatMap(a -> a.text(name)).filter(host.path()::equals).isPresent()) {
        return OptionalLong.of(i);
      }
    }
    return OptionalLong.empty();
  }
}
