package dev.doorbell.firmware;

import dev.doorbell.address.Sizes;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// PCI Express memory mapped configuration space.
///
/// **Source**: PCI Firmware Specification 3.3, 4.1.2.
///
/// @param entries in the table's order
record Mcfg(List<Entry> entries) {
  /// An ECAM window.
  ///
  /// @param base address of bus 0's configuration space, also when `firstBus` is not 0
  record Entry(long base, int segment, int firstBus, int lastBus, Source source) {
    /// {@return the address of a bus's 1 MiB}
    long ecamOf(int bus) {
      return base + bus * BUS_BYTES;
    }
  }

  static final long BUS_BYTES = Sizes.MIB;
  private static final int FIRST = 44;
  private static final int ENTRY = 16;

  static Mcfg read(AcpiTable table, Findings findings) {
    Blob b = table.blob();
    List<Entry> entries = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    int at = FIRST;
    for (; at + ENTRY <= b.size(); at += ENTRY) {
      Entry e = new Entry(b.u64(at), b.u16(at + 8), b.u8(at + 10), b.u8(at + 11), b.source(at));
      if (e.lastBus < e.firstBus) {
        findings.odd(
            "entry ends at bus 0x%x, before its first bus 0x%x".formatted(e.lastBus, e.firstBus),
            e.source);
      } else if (Long.compareUnsigned(e.base, -1L - 256 * BUS_BYTES) > 0) {
        findings.odd("entry's base 0x%x leaves no room for 256 buses".formatted(e.base), e.source);
      } else if (!seen.add("%x %x %x".formatted(e.segment, e.firstBus, e.base))) {
        findings.odd("entry for segment %d repeats an earlier one".formatted(e.segment), e.source);
      } else {
        entries.add(e);
      }
    }
    if (b.size() <= FIRST) {
      findings.odd("the table has no entry", b.source(0));
    } else if (at != b.size()) {
      findings.odd("%d bytes at the end are no entry".formatted(b.size() - at), b.source(at));
    }
    return new Mcfg(List.copyOf(entries));
  }
}
