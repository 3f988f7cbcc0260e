package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import java.util.List;
import java.util.stream.IntStream;

/// Sizes and addresses of an endpoint's BARs: as the captured kernel placed them, or guessed from what must fit in them.
///
/// @param bytes by register, 0 for none
/// @param addresses PCI addresses by register, 0 where the capture does not tell
record BarPlacement(long[] bytes, long[] addresses) {
  private static final int BARS = 6;
  private static final int VF_FIRST = 7;
  private static final int ENTRY_BYTES = 16;
  private static final long SMALLEST = 0x1000;

  /// @param pciOffset what a CPU address is above its PCI address, in the function's window
  static BarPlacement of(FunctionDescription d, PciFunction f, long pciOffset) {
    BarPlacement p = new BarPlacement(new long[BARS], new long[BARS]);
    if (d.resources().isEmpty()) {
      p.guess(f);
    }
    for (FunctionDescription.Bar bar : d.resources()) {
      int index = bar.index() >= VF_FIRST ? bar.index() - VF_FIRST : bar.index();
      boolean own = bar.index() < BARS;
      if (own && !bar.io() && Long.bitCount(bar.range().bytes()) == 1) {
        p.bytes[index] = bar.range().bytes();
        p.addresses[index] = bar.range().start() - pciOffset;
      }
    }
    f.msix().thing().ifPresent(p::makeRoom);
    return p;
  }

  /// A BAR lies at a multiple of its size, so that one that lies within a page is smaller than that.
  private void guess(PciFunction f) {
    for (BarDecode bar : f.bars().bars()) {
      if (bar.kind() != BarDecode.Kind.IO) {
        bytes[bar.index()] =
            bar.address() == 0 ? SMALLEST : Math.min(SMALLEST, Long.lowestOneBit(bar.address()));
        addresses[bar.index()] = bar.address();
      }
    }
  }

  /// MSI-X table and pending bits must fit, whatever else the BAR holds.
  private void makeRoom(MsixCapability m) {
    grow(m.tableBar(), m.tableOffset() + (long) m.vectors() * ENTRY_BYTES);
    grow(m.pbaBar(), m.pbaOffset() + (m.vectors() + 63L) / 64 * Long.BYTES);
  }

  private void grow(int bar, long needed) {
    if (bar < BARS && bytes[bar] < needed) {
      bytes[bar] = Math.max(SMALLEST, Long.highestOneBit(needed * 2 - 1));
      if ((addresses[bar] & (bytes[bar] - 1)) != 0) {
        addresses[bar] = 0;
      }
    }
  }

  /// {@return the BARs that the capture placed}
  List<AddressRange> ranges() {
    return IntStream.range(0, BARS)
        .filter(i -> bytes[i] != 0 && addresses[i] != 0)
        .mapToObj(this::range)
        .toList();
  }

  AddressRange range(int bar) {
    return AddressRange.ofSize(addresses[bar], bytes[bar]);
  }
}
