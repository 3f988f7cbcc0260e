package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Virtual I/O Translation table: which functions are behind a virtio-iommu.
///
/// **Source**: ACPI 6.5, 5.2.32.
///
/// @param iommus by offset of their node
record Viot(List<PciRange> ranges, List<MmioEndpoint> endpoints, Map<Integer, VirtioIommu> iommus) {
  /// Functions of some segments and the endpoint ids that the virtio-iommu knows them by.
  record PciRange(
      long firstEndpoint,
      int firstSegment,
      int lastSegment,
      int firstRid,
      int lastRid,
      int output,
      Source source) {
    /// {@return the endpoint id of the first requester id of a segment}
    long endpointOf(int segment) {
      return firstEndpoint + (long) (segment - firstSegment) * 0x10000;
    }
  }

  /// A device that is not a PCI function.
  record MmioEndpoint(long endpoint, long base, int output, Source source) {}

  /// A virtio-iommu.
  sealed interface VirtioIommu {
    Source source();
  }

  record OverPci(int segment, int rid, Source source) implements VirtioIommu {}

  record OverMmio(long base, Source source) implements VirtioIommu {}

  private static final int PCI_RANGE = 1;
  private static final int MMIO_ENDPOINT = 2;
  private static final int OVER_PCI = 3;
  private static final int OVER_MMIO = 4;
  private static final Map<Integer, Integer> LENGTHS =
      Map.of(PCI_RANGE, 24, MMIO_ENDPOINT, 24, OVER_PCI, 16, OVER_MMIO, 16);

  static Viot read(AcpiTable table, Findings findings) {
    Viot viot = new Viot(new ArrayList<>(), new ArrayList<>(), new LinkedHashMap<>());
    Blob b = table.blob();
    int stated = b.u16(36);
    int at = b.u16(38);
    Map<Integer, Integer> unknown = new HashMap<>();
    for (int i = 0; i < stated; i++) {
      if (at < AcpiTable.HEADER || at + 4 > b.size()) {
        findings.odd(
            "the header states %d nodes; node %d at 0x%x lies outside the table"
                .formatted(stated, i, at),
            b.source(36));
        break;
      }
      int type = b.u8(at);
      int length = b.u16(at + 2);
      if (length < 4 || at + length > b.size()) {
        findings.odd(
            "node of type %d states length %d with %d bytes left"
                .formatted(type, length, b.size() - at),
            b.source(at));
        break;
      }
      Integer wanted = LENGTHS.get(type);
      if (wanted == null) {
        unknown.merge(type, 1, Integer::sum);
      } else if (length < wanted) {
        findings.odd(
            "node of type %d has %d bytes, less than %d".formatted(type, length, wanted),
            b.source(at));
      } else {
        viot.node(b, type, at);
      }
      at += length;
    }
    unknown.forEach((type, count) ->
        findings.odd("%d nodes of unknown type %d".formatted(count, type), b.source(36)));
    viot.check(findings);
    return new Viot(
        List.copyOf(viot.ranges),
        List.copyOf(viot.endpoints),
        Collections.unmodifiableMap(viot.iommus));
  }

  private void node(Blob b, int type, int at) {
    Source source = b.source(at);
    switch (type) {
      case PCI_RANGE ->
          ranges.add(
              new PciRange(
                  b.u32(at + 4),
                  b.u16(at + 8),
                  b.u16(at + 10),
                  b.u16(at + 12),
                  b.u16(at + 14),
                  b.u16(at + 16),
                  source));
      case MMIO_ENDPOINT ->
          endpoints.add(new MmioEndpoint(b.u32(at + 4), b.u64(at + 8), b.u16(at + 16), source));
      case OVER_PCI -> iommus.put(at, new OverPci(b.u16(at + 4), b.u16(at + 6), source));
      default -> iommus.put(at, new OverMmio(b.u64(at + 8), source));
    }
  }

  private void check(Findings findings) {
    Set<Integer> known = iommus.keySet();
    ranges.removeIf(r -> {
      boolean bad = r.lastSegment < r.firstSegment || r.lastRid < r.firstRid;
      if (bad) {
        findings.odd("PCI range ends before it begins", r.source);
      } else if (!known.contains(r.output)) {
        findings.odd(
            "PCI range leads to offset 0x%x, where no virtio-iommu is".formatted(r.output),
            r.source);
      }
      return bad || !known.contains(r.output);
    });
    endpoints.removeIf(e -> {
      boolean bad = !known.contains(e.output);
      if (bad) {
        findings.odd(
            "MMIO endpoint leads to offset 0x%x, where no virtio-iommu is".formatted(e.output),
            e.source);
      }
      return bad;
    });
  }
}
