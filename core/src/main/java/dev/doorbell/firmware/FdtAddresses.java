package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Addresses in a device tree, as CPUs see them.
///
/// **Source**: Devicetree Specification 0.4, 2.3.6 (`reg`) and 2.3.8 (`ranges`).
final class FdtAddresses {
  private static final int MAX_ENTRIES = 4096;
  private static final String RANGES = "ranges";
  private static final String DMA_RANGES = "dma-ranges";
  private static final int PCI_CELLS = 3;

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
    return upwards(bus, onBus, RANGES);
  }

  /// {@return the CPU address of an address on a bus}
  ///
  /// @param property `ranges`, without which nothing passes a bus, or `dma-ranges`, without which addresses stay what they are
  private static Optional<Long> upwards(FdtNode bus, long onBus, String property) {
    long address = onBus;
    FdtNode node = bus;
    // The depth limit of the tree bounds this walk.
    while (node.parent().isPresent()) {
      FdtNode above = node.parent().get();
      Optional<FdtNode.Property> ranges = node.property(property);
      if (ranges.isEmpty() && property.equals(RANGES)) {
        return Optional.empty();
      }
      if (ranges.isPresent() && ranges.get().length() > 0) {
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

  /// A window of a bus's `ranges` or `dma-ranges`.
  ///
  /// @param cpu CPU addresses
  /// @param busStart the address on the bus of the first one
  record BusWindow(
      AddressRange cpu, long busStart, boolean io, boolean prefetchable, Source source) {}

  /// {@return the windows in a host bridge's `ranges`}
  List<BusWindow> windows(FdtNode bridge) {
    return windows(bridge, RANGES, PCI_CELLS);
  }

  /// {@return the windows through which functions below a host bridge reach memory; empty when they reach all}
  ///
  /// They are the bridge's own `dma-ranges`, or where it has none, or empty ones, those of the bus that it is on, and so on upwards until a bus
  /// above has no such property.
  ///
  /// **Source**: Devicetree Specification 0.4, 2.3.9; which node's counts as in Linux (`of_dma_get_range`).
  List<BusWindow> dmaWindows(FdtNode bridge) {
    Optional<FdtNode.Property> own = bridge.property(DMA_RANGES);
    if (own.isPresent() && own.get().length() > 0) {
      return windows(bridge, DMA_RANGES, PCI_CELLS);
    }
    Optional<FdtNode> bus = bridge.parent();
    while (bus.isPresent() && bus.get().has(DMA_RANGES)) {
      if (bus.get().property(DMA_RANGES).orElseThrow().length() > 0) {
        return windows(bus.get(), DMA_RANGES, bus.get().addressCells());
      }
      bus = bus.get().parent();
    }
    return List.of();
  }

  /// @param child cells of an address on the bus; of a PCI bus's three the first tells the space
  private List<BusWindow> windows(FdtNode bus, String property, int child) {
    List<BusWindow> out = new ArrayList<>();
    Optional<FdtNode.Property> ranges = bus.property(property);
    Optional<FdtNode> above = bus.parent();
    if (ranges.isEmpty() || above.isEmpty() || ranges.get().length() == 0) {
      return out;
    }
    FdtNode.Property p = ranges.get();
    boolean pci = child == PCI_CELLS;
    int parent = above.get().addressCells();
    int sizes = bus.sizeCells();
    boolean addresses = pci ? bus.addressCells() == child && sizes == 2 : child == 1 || child == 2;
    if (!addresses || parent < 1 || parent > 2 || sizes < 1 || sizes > 2) {
      draft.findings.odd(
          "%s has %d and %d cells for addresses and sizes; a PCI bus has 3 and 2, another one or two of each"
              .formatted(bus.path(), bus.addressCells(), sizes),
          bus.source());
      return out;
    }
    int entry = child + parent + sizes;
    if (p.cells() % entry != 0) {
      draft.findings.odd(
          "%s of %s has %d cells, no multiple of %d"
              .formatted(property, bus.path(), p.cells(), entry),
          p.source());
    }
    for (int i = 0; i + entry <= p.cells() && out.size() < MAX_ENTRIES; i += entry) {
      boolean configuration =
          pci && FdtLayout.SPACE.getInt(p.cell(i)) == 0 && property.equals(RANGES);
      long bytes = p.number(i + child + parent, sizes);
      if (configuration || bytes == 0) {
        continue;
      }
      int cell = i;
      upwards(above.get(), p.number(i + child, parent), property)
          .ifPresentOrElse(
              cpu ->
                  draft
                      .range(cpu, bytes, property + " of " + bus.path(), p.source())
                      .ifPresent(r -> out.add(window(r, p, cell, child))),
              () -> outside(bus, property, source(p, cell)));
    }
    return out;
  }

  private static BusWindow window(AddressRange cpu, FdtNode.Property p, int cell, int child) {
    boolean pci = child == PCI_CELLS;
    long space = pci ? p.cell(cell) : 0;
    return new BusWindow(
        cpu,
        p.number(pci ? cell + 1 : cell, pci ? 2 : child),
        FdtLayout.SPACE.getInt(space) == 1,
        FdtLayout.PREFETCHABLE.isSet(space),
        source(p, cell));
  }

  private static Source source(FdtNode.Property p, int cell) {
    return p.blob().source(p.at() + (long) cell * FdtNode.CELL);
  }

  private void outside(FdtNode bus, String property, Source source) {
    draft.findings.odd(
        "%s of %s has a window that lies in none of the buses above; it is passed over"
            .formatted(property, bus.path()),
        source);
  }
}
