package dev.doorbell.firmware;

import dev.doorbell.description.Arch;
import java.util.OptionalLong;

/// PCI domain numbers that a device tree states.
///
/// **Source**: `pci/pci.txt` (`linux,pci-domain`); for PowerPC Linux 6.12 `get_phb_number`: OPAL's id, an alias `pciN`, or else the second cell of
/// `reg`, of which 16 bits count.
final class FdtDomains {
  private static final long LAST = 0xffff;
  private static final int MOST_ALIASES = 256;

  private FdtDomains() {}

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
