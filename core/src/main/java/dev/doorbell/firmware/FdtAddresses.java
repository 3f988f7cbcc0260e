package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Addresses in a device tree, as CPUs see them.
///
/// **Source**: Devicetree Specification 0.4, 2.3.6 (`reg`) and 2.3.8 (`ranges`).
final class FdtAddresses {
  private static final int MAX_ENTRIES = 4096;

  private final Draft draft;

  FdtAddresses(Draft draft) {
    this.draft = draft;
  }

  /// {@return the node's registers, in order; what cannot be translated to CPU addresses is left out}
  List<AddressRange> registers(FdtNode node) {
    List<AddressRange> out = new ArrayList<>();
    Optional<FdtNode.Property> reg = node.property("reg");
    Optional<FdtNode> bus = node.parent();
    if (reg.isEmpty() || bus.isEmpty()) {
      return out;
    }
    FdtNode.Property p = reg.get();
    int addresses = bus.get().addressCells();
    int sizes = bus.get().sizeCells();
    if (addresses < 1 || addresses > 2 || sizes < 1 || sizes > 2) {
      return out;
    }
    int entry = addresses + sizes;
    if (p.cells() % entry != 0) {
      draft.findings.odd(
          "reg of %s has %d cells, no multiple of %d".formatted(node.path(), p.cells(), entry),
          p.source());
    }
    for (int i = 0; i + entry <= p.cells() && out.size() < MAX_ENTRIES; i += entry) {
      long start = p.number(i, addresses);
      long bytes = p.number(i + addresses, sizes);
      if (bytes == 0) {
        continue;
      }
      Optional<Long> cpu = toCpu(bus.get(), start);
      if (cpu.isPresent()) {
        draft.range(cpu.get(), bytes, "reg of " + node.path(), p.source()).ifPresent(out::add);
      }
    }
    return out;
  }

  Optional<AddressRange> firstRegister(FdtNode node) {
    return registers(node).stream().findFirst();
  }

  /// {@return the CPU address of an address on a bus, through the `ranges` of every bus up to the root}
  Optional<Long> toCpu(FdtNode bus, long onBus) {
    long address = onBus;
    FdtNode node = bus;
    // The depth limit of the tree bounds this walk.
    while (node.parent().isPresent()) {
      FdtNode above = node.parent().get();
      Optional<FdtNode.Property> ranges = node.property("ranges");
      if (ranges.isEmpty()) {
        return Optional.empty();
      }
      if (ranges.get().length() > 0) {
        Optional<Long> through = through(ranges.get(), node, above, address);
        if (through.isEmpty()) {
          return Optional.empty();
        }
        address = through.get();
      }
      node = above;
    }
    return Optional.of(address);
  }

  private static Optional<Long> through(
      FdtNode.Property ranges, FdtNode bus, FdtNode above, long address) {
    int child = bus.addressCells();
    int parent = above.addressCells();
    int sizes = bus.sizeCells();
    if (child < 1 || child > 2 || parent < 1 || parent > 2 || sizes < 1 || sizes > 2) {
      return Optional.empty();
    }
    int entry = child + parent + sizes;
    for (int i = 0; i + entry <= ranges.cells(); i += entry) {
      long from = ranges.number(i, child);
      long bytes = ranges.number(i + child + parent, sizes);
      if (bytes != 0
          && Long.compareUnsigned(address - from, bytes) < 0
          && Long.compareUnsigned(address, from) >= 0) {
        return Optional.of(ranges.number(i + child, parent) + (address - from));
      }
    }
    return Optional.empty();
  }

  /// A window of a PCI host bridge's `ranges` or `dma-ranges`.
  ///
  /// @param cpu CPU addresses
  /// @param pciStart the PCI address of the first one
  record PciWindow(
      AddressRange cpu,
      long pciStart,
      boolean io,
      boolean prefetchable,
      int cell,
      FdtNode.Property property) {
    dev.doorbell.explain.Source source() {
      return property.blob().source(property.at() + (long) cell * FdtNode.CELL);
    }
  }

  /// {@return the windows in a host bridge's `ranges` or `dma-ranges`}
  List<PciWindow> pciWindows(FdtNode bridge, String property) {
    List<PciWindow> out = new ArrayList<>();
    Optional<FdtNode.Property> ranges = bridge.property(property);
    Optional<FdtNode> above = bridge.parent();
    if (ranges.isEmpty() || above.isEmpty() || ranges.get().length() == 0) {
      return out;
    }
    FdtNode.Property p = ranges.get();
    int parent = above.get().addressCells();
    if (bridge.addressCells() != 3 || bridge.sizeCells() != 2 || parent < 1 || parent > 2) {
      draft.findings.odd(
          "%s has %d and %d cells for addresses and sizes; a PCI bus has 3 and 2"
              .formatted(bridge.path(), bridge.addressCells(), bridge.sizeCells()),
          bridge.source());
      return out;
    }
    int entry = 3 + parent + 2;
    if (p.cells() % entry != 0) {
      draft.findings.odd(
          "%s of %s has %d cells, no multiple of %d"
              .formatted(property, bridge.path(), p.cells(), entry),
          p.source());
    }
    for (int i = 0; i + entry <= p.cells() && out.size() < MAX_ENTRIES; i += entry) {
      int space = FdtLayout.SPACE.getInt(p.cell(i));
      long bytes = p.number(i + 3 + parent, 2);
      Optional<Long> cpu = toCpu(above.get(), p.number(i + 3, parent));
      if (space == 0 && property.equals("ranges") || bytes == 0 || cpu.isEmpty()) {
        continue;
      }
      int cell = i;
      draft
          .range(cpu.get(), bytes, property + " of " + bridge.path(), p.source())
          .ifPresent(r ->
              out.add(
                  new PciWindow(
                      r,
                      p.number(cell + 1, 2),
                      space == 1,
                      FdtLayout.PREFETCHABLE.isSet(p.cell(cell)),
                      cell,
                      p)));
    }
    return out;
  }
}
